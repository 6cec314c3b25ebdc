"""Find and check collectors, views and controls: ``@collector``, ``@view``, ``@control``.

Items register by being imported; :func:`load` imports every module of the catalogue
folders and of installed packs (entry point group ``kaudit.packs``) and checks that they fit
together. A decorator returns its function unchanged, so that it can be called with any
frame in a notebook or a test.
"""

from kaudit.registry.controls import control
from kaudit.registry.decorators import collector, exporter, tool, view
from kaudit.registry.docstring import parse_docstring
from kaudit.registry.entries import (
    COLLECTORS,
    CONTROLS,
    EXPORTERS,
    FORMATS,
    TABLES,
    VIEWS,
    Collector,
    Control,
    Format,
    Read,
    View,
)
from kaudit.registry.lineage import (
    base_tables,
    deciding_tables,
    gathered_tables,
    joined_tables,
    resource_of,
    resting_on,
    subject_table,
    summed_views,
    tables_of,
)
from kaudit.registry.loading import check, find_control, load, load_catalogue

__all__ = [
    "COLLECTORS",
    "CONTROLS",
    "EXPORTERS",
    "FORMATS",
    "TABLES",
    "VIEWS",
    "Collector",
    "Control",
    "Format",
    "Read",
    "View",
    "base_tables",
    "check",
    "collector",
    "control",
    "deciding_tables",
    "exporter",
    "find_control",
    "gathered_tables",
    "joined_tables",
    "load",
    "load_catalogue",
    "parse_docstring",
    "resource_of",
    "resting_on",
    "subject_table",
    "summed_views",
    "tables_of",
    "tool",
    "view",
]
