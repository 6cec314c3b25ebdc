"""How reports look: one HTML page, one PDF, both from the blocks of an executed notebook."""

import importlib
import sys

# Where JupyterLab is installed, jsonschema compiles a grammar of URIs when it is imported, which
# takes a second. No schema of notebooks asks for it.
_GRAMMAR = "rfc3987_syntax"
if not {"jsonschema", _GRAMMAR} & sys.modules.keys():
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # says that there is none
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[_GRAMMAR]
