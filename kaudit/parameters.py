"""What an auditor decides: allow-lists and limits that controls judge by.

They are part of what is re-performed: reports state them, and the command line takes them
as ``-P name=value`` or from a YAML file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import msgspec

from kaudit.errors import InputError
from kaudit.model.statement import written
from kaudit.text import meant

_Days = Annotated[int, msgspec.Meta(gt=0)]
_Hours = Annotated[int, msgspec.Meta(gt=0)]
_Seconds = Annotated[int, msgspec.Meta(gt=0)]


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Decisions of the auditor.

    Attributes
    ----------
    accepted_builders
        Ids of builders whose provenance counts, ``*`` for any text; none given accepts all.
    accepted_signers
        Identities, or fingerprints of keys, whose signatures count, ``*`` for any text; none
        given leaves the control on identities unassessed.
    allowed_registries
        Registries, or registry/repository prefixes, that images may come from; none given
        leaves that control unassessed.
    certificate_min_days
        Days that a certificate should still hold.
    break_glass_groups
        Groups of users who may enter containers by hand, ``*`` for any text.
    critical_fix_days, high_fix_days
        Days within which a critical or high vulnerability that has a fix must be gone.
    environment_labels
        Label keys, of pods or of their namespaces, whose value names the environment.
    exploit_score
        EPSS from which a vulnerability counts as exploited.
    image_max_age_days
        Days after which an image should have been built anew.
    log_max_age_hours
        Hours for which the log of a sensor, or of the API server, counts after its last event.
    moving_tags
        Tags, beside latest, that are known to be moved.
    owner_labels
        Label keys of which a workload, and a namespace, must carry one.
    production_environments
        Values of those labels, in any case, that stand for production.
    registry_secret_max_age_days
        Days after which a credential of an image registry should have been rotated.
    sandbox_handlers
        Handlers of runtime classes that run containers in a sandbox; ``*`` stands for any text.
    scan_max_age_days
        Days for which the scan of an image counts.
    secret_max_age_days
        Days after which a Secret should have been rotated.
    segmentation
        Statements on who may connect to whom, each with an id:
        ``PCI-1: pci accepts only from frontend on 443``.
    sensitive_labels
        Labels, as ``key=value``, of pods or of their namespaces, that mark a workload whose data
        is sensitive; ``*`` for any text.
    sensor_images
        Ends of names of further images that are runtime sensors: ``northwind/agent``.
    token_max_seconds
        Longest life of a projected service-account token, in seconds.
    untrusted_labels
        Labels, as ``key=value``, that mark a namespace whose workloads are not trusted.
    untrusted_namespaces
        Names of further such namespaces, ``*`` for any text.

    Examples
    --------
    >>> mine = ka.Parameters(allowed_registries=("registry.northwind.example",))
    >>> a = ka.assess("demo.kaudit", control="KA-BLD-009", parameters=mine)
    >>> len(a.findings) > 0
    True
    """

    accepted_builders: tuple[str, ...] = ()
    accepted_signers: tuple[str, ...] = ()
    allowed_registries: tuple[str, ...] = ()
    certificate_min_days: _Days = 30
    break_glass_groups: tuple[str, ...] = ()
    critical_fix_days: _Days = 7
    environment_labels: tuple[str, ...] = (
        *("env", "environment", "stage"),
        "app.kubernetes.io/environment",
    )
    exploit_score: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    high_fix_days: _Days = 30
    image_max_age_days: _Days = 180
    log_max_age_hours: _Hours = 24
    moving_tags: tuple[str, ...] = ("dev", "edge", "main", "master", "nightly", "stable")
    owner_labels: tuple[str, ...] = ("team", "owner")
    production_environments: tuple[str, ...] = ("live", "prd", "prod", "production")
    registry_secret_max_age_days: _Days = 180
    sandbox_handlers: tuple[str, ...] = ("gvisor*", "kata*", "runsc*")
    scan_max_age_days: _Days = 7
    secret_max_age_days: _Days = 90
    segmentation: tuple[str, ...] = ()
    sensitive_labels: tuple[str, ...] = (
        *("data-classification=confidential", "data-classification=restricted"),
        *("pci=true", "sensitivity=confidential", "sensitivity=high", "sensitivity=restricted"),
    )
    sensor_images: tuple[str, ...] = ()
    token_max_seconds: _Seconds = 86_400
    untrusted_labels: tuple[str, ...] = ("untrusted=true",)
    untrusted_namespaces: tuple[str, ...] = ()


_current: ContextVar[Parameters] = ContextVar("kaudit_parameters", default=Parameters())  # noqa: B039  it is frozen


def parameters() -> Parameters:
    """Return the parameters in force."""
    return _current.get()


@contextmanager
def using(chosen: Parameters) -> Iterator[None]:
    """Put parameters in force for a while.

    Parameters
    ----------
    chosen
        Those that controls judge by until the block ends.
    """
    token = _current.set(chosen)
    try:
        yield
    finally:
        _current.reset(token)


def parse(values: Mapping[str, Any]) -> Parameters:
    """Build parameters from names and values.

    Parameters
    ----------
    values
        Names of :class:`Parameters`, with values; texts of lists are split at commas.

    Returns
    -------
    kaudit.Parameters
        With defaults for what is not named.

    Raises
    ------
    InputError
        A name is unknown, a value does not fit, or a statement means nothing.
    """
    defaults = {f.name: f.default for f in msgspec.structs.fields(Parameters)}
    ready: dict[str, Any] = {}
    for name, value in values.items():
        if name not in defaults:
            raise InputError(f"there is no parameter {name!r}", hint=meant(name, defaults))
        many = isinstance(value, str) and isinstance(defaults[name], tuple)
        ready[name] = [v.strip() for v in value.split(",") if v.strip()] if many else value
    try:
        found = msgspec.convert(ready, Parameters, strict=False)
    except msgspec.ValidationError as fault:
        raise InputError(f"a parameter does not fit: {fault}") from None
    written(found.segmentation)
    return found
