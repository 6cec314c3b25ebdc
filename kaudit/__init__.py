"""Security audits of Kubernetes from evidence: collect, assess, correlate, report.

::

    import kaudit as ka

    evidence = ka.collect("manifests")  # or context:NAME, a dump, or sealed evidence
    assessment = ka.assess(evidence)
    assessment.findings                 # a DataFrame, as all that has rows
    ka.risks(assessment)                # where several layers fail on one workload
    ka.show.summary(assessment)         # what notebooks show

To judge: :func:`collect`, :func:`assess`, :func:`risks`, :func:`compare`, :func:`controls`;
what they give and take: :class:`Evidence`, :class:`Assessment`, :class:`Gap`,
:class:`Parameters`, :class:`Waiver`, :class:`KauditError`; to extend: :class:`Table`,
:func:`collector`, :func:`view`, :func:`control`. Reports are made by :mod:`kaudit.report`, on
the command line by ``kaudit report``.

The public names load what they need when they are first used; importing kaudit itself
imports nothing heavy.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kaudit import show as show
    from kaudit.assessment import Assessment as Assessment
    from kaudit.compare import compare as compare
    from kaudit.errors import KauditError as KauditError
    from kaudit.evidence.bundle import Evidence as Evidence
    from kaudit.model.words import Gap as Gap
    from kaudit.parameters import Parameters as Parameters
    from kaudit.public import assess as assess
    from kaudit.public import collect as collect
    from kaudit.public import controls as controls
    from kaudit.public import risks as risks
    from kaudit.registry import collector as collector
    from kaudit.registry import control as control
    from kaudit.registry import view as view
    from kaudit.table import Table as Table
    from kaudit.waivers import Waiver as Waiver

_HOMES = {
    "Assessment": "kaudit.assessment",
    "Evidence": "kaudit.evidence.bundle",
    "Gap": "kaudit.model.words",
    "KauditError": "kaudit.errors",
    "Parameters": "kaudit.parameters",
    "Table": "kaudit.table",
    "Waiver": "kaudit.waivers",
    "assess": "kaudit.public",
    "collect": "kaudit.public",
    "collector": "kaudit.registry",
    "compare": "kaudit.compare",
    "control": "kaudit.registry",
    "controls": "kaudit.public",
    "risks": "kaudit.public",
    "show": "kaudit.show",
    "view": "kaudit.registry",
}

__all__ = [
    "Assessment",
    "Evidence",
    "Gap",
    "KauditError",
    "Parameters",
    "Table",
    "Waiver",
    "assess",
    "collect",
    "collector",
    "compare",
    "control",
    "controls",
    "risks",
    "show",
    "view",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kaudit' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    found = home if name == "show" else getattr(home, name)
    globals()[name] = found
    return found


class _Package(ModuleType):
    """Keeps the public functions where modules have the same names: collect, assess, compare."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType) or name == "show":
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
