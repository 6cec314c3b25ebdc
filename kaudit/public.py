"""The engines as notebooks call them: with names and plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaudit.assessment import Assessment
from kaudit.evidence.bundle import Evidence
from kaudit.parameters import Parameters, parse, using

if TYPE_CHECKING:
    import pandas as pd

    from kaudit.correlate import Risks
    from kaudit.waivers import Waiver


def collect(
    *sources: str,
    out: str | Path | None = None,
    secrets: str = "none",
    outputs: Mapping[str, str | Path] | None = None,
) -> Evidence:
    """Collect evidence from files, folders or clusters.

    Parameters
    ----------
    sources
        Paths, or ``context:NAME``.
    out
        Bundle to seal; None keeps the evidence, with its raw records, in memory.
    secrets
        What to ask of a live cluster's Secrets: ``none``, ``metadata`` or ``table``.
    outputs
        What tools wrote, a file or folder by the name of its format: ``{"trivy": "scans"}``.

    Returns
    -------
    Evidence
        Tables, raw records, provenance and gaps. What could not be read is a gap in it.

    Raises
    ------
    InputError
        No source is named, a name means nothing, no source could be read, or ``out`` is in
        the way.
    EvidenceError
        The source is a bundle, and it is damaged.

    Examples
    --------
    >>> e = ka.collect("manifests")
    >>> e.label, e.sealed
    ('manifests', False)
    >>> e["pods"]["namespace"].tolist()
    ['web']
    """
    from kaudit.opening import evidence_of

    return evidence_of(
        [str(s) for s in sources],
        out=Path(out) if out else None,
        raw=True,
        secrets=secrets,
        outputs=[(name, Path(path)) for name, path in (outputs or {}).items()],
    )


def assess(
    evidence: Evidence | str | Path,
    *,
    control: str = "",
    waivers: str | Path | Sequence[Waiver] = (),
    parameters: Mapping[str, Any] | Parameters | None = None,
) -> Assessment:
    """Judge evidence, or what a path names, by the controls.

    Parameters
    ----------
    evidence
        Evidence, a bundle, or a source to collect first.
    control
        Id of one control; all by default.
    waivers
        Accepted failures: a YAML file, or a list of :class:`~kaudit.waivers.Waiver`.
    parameters
        Decisions of the auditor, such as ``allowed_registries``.

    Returns
    -------
    Assessment
        Results, findings and conclusions; every control has at least one result.

    Raises
    ------
    InputError
        No control has the id, there is no such parameter, or its value does not fit; or, of a
        path, as for :func:`collect`.
    EvidenceError
        The bundle is damaged.
    WaiverError
        A waiver lacks what it must have.

    Examples
    --------
    >>> a = ka.assess("demo.kaudit", control="KA-DEP-001")
    >>> a
    <Assessment of 'northwind-parcel': 1 controls, 4 findings>
    >>> a.findings["name"].tolist()
    ['builder', 'falco', 'calico-node', 'kube-proxy']
    """
    from kaudit.assess import assess as engine
    from kaudit.registry import find_control
    from kaudit.waivers import accepted

    agreed = accepted(waivers)  # a fault in them is told before anything is collected
    found = evidence if isinstance(evidence, Evidence) else collect(str(evidence))
    chosen = parameters if isinstance(parameters, Parameters) else parse(parameters or {})
    wanted = [find_control(control)] if control else None
    with using(chosen):
        return engine(found, wanted, waivers=agreed)


def risks(assessment: Assessment) -> Risks:
    """Find the workloads on which risks of several layers meet, worst first.

    Parameters
    ----------
    assessment
        What was judged by the whole catalogue; what was not judged is unknown.

    Returns
    -------
    Risks
        Chains, worst first; :attr:`~kaudit.correlate.Risks.frame` has one row a chain, with its
        rank, severity, state, workload, patterns, links and remedy.

    Examples
    --------
    >>> found = ka.risks(ka.assess("demo.kaudit"))
    >>> found.chains[0].label
    'StatefulSet legacy/erp'
    >>> found.frame["state"].iloc[0]
    'holds'
    """
    from kaudit.correlate import correlate

    return correlate(assessment)


def controls() -> pd.DataFrame:
    """List the catalogue.

    Returns
    -------
    DataFrame
        One row a control, by id: ``control`` (its id), ``layer``, ``severity``, ``title``.

    Raises
    ------
    RegistryError
        An installed pack does not fit: an id twice, a table that is not there.

    Examples
    --------
    >>> catalogue = ka.controls()
    >>> catalogue.loc[catalogue["control"] == "KA-DEP-001", "severity"].item()
    'critical'
    """
    from kaudit import registry
    from kaudit.frame import Frame

    registry.load()
    return Frame(
        [
            {
                "control": c.id,
                "layer": c.layer.value,
                "severity": c.severity.value,
                "title": c.title,
            }
            for _, c in sorted(registry.CONTROLS.items())
        ]
    )
