"""nbconvert exporters: an executed notebook as kaudit's page, and as its PDF.

``jupyter nbconvert --to kaudit.template.exporters.AuditHTML report.ipynb`` gives the same
bytes as ``kaudit report``. Templates, configuration files and folders of the user play no
part, so that nothing that lies about can change a report.
"""

from __future__ import annotations

from typing import Any

from nbconvert.exporters import Exporter
from traitlets import Unicode

from kaudit.template.document import read
from kaudit.template.page import page_html
from kaudit.template.pdf import report_pdf

__all__ = ["AuditHTML", "AuditPDF"]


class AuditHTML(Exporter):
    """One self-contained page."""

    export_from_notebook = "kaudit report (HTML)"
    file_extension = Unicode(".html").tag(config=True)
    output_mimetype = "text/html"
    title = Unicode("", help="Replaces the title that the notebook gives.").tag(config=True)

    def from_notebook_node(  # type: ignore[override]  # exporters give text or bytes
        self, nb: Any, resources: Any = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the page, and nbconvert's resources."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        return page_html(read(nb, title=self.title)), resources


class AuditPDF(Exporter):
    """A tagged PDF for archives."""

    export_from_notebook = "kaudit report (PDF)"
    file_extension = Unicode(".pdf").tag(config=True)
    output_mimetype = "application/pdf"
    title = Unicode("", help="Replaces the title that the notebook gives.").tag(config=True)

    def from_notebook_node(  # type: ignore[override]  # exporters give text or bytes
        self, nb: Any, resources: Any = None, **kw: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """Return the PDF, and nbconvert's resources."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        resources["output_extension"] = ".pdf"
        return report_pdf(read(nb, title=self.title)), resources
