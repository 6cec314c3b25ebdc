"""Exceptions from scanning with what an auditor asks of them: reason, owner, end and scope."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, empty, series, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class ExceptionTermsRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    place: Annotated[str, doc("place and id, as number id")]
    format: Annotated[str, doc("openvex, cyclonedx, trivyignore, trivyignore.yaml or grype")]
    section: Annotated[str, doc("vulnerability, misconfiguration, secret, license or any")]
    id: Annotated[str, doc("id of what is let pass; * is everything in the scope")]
    status: Annotated[str, doc("status, as in scan_exceptions")]
    lets_pass: Annotated[bool, doc("a scanner that knows it no longer tells the finding")]
    may_end: Annotated[bool, doc("lets pass, in a file that scanners read and people forget")]
    reasoned: Annotated[bool, doc("says why, in the words of VEX or in free text")]
    owned: Annotated[bool, doc("says who answers for it")]
    ends: Annotated[bool, doc("has an end")]
    everywhere: Annotated[bool, doc("no product, path or package bounds it, or it names no id")]
    reason: Annotated[str | None, doc("reason in free text")] = None
    owner: Annotated[str | None, doc("who answers for it")] = None
    scope: Annotated[list[str], doc("products, paths or packages; empty: everywhere")]
    expires_at: Annotated[datetime | None, doc("when it ends; null: it does not")] = None


EXCEPTION_TERMS = Table(
    "exception_terms",
    ExceptionTermsRow,
    grain="one exception from scanning",
    key=("file", "report", "place"),
    resource=Resource("=File", namespace="", name="file", container="place"),
)
_COPIED = (
    *("raw", "raw_line", "report", "file", "place", "format", "section", "id", "status"),
    *("reason", "owner", "scope", "expires_at"),
)


@view(EXCEPTION_TERMS)
def exception_terms(scan_exceptions: pd.DataFrame) -> pd.DataFrame:
    """Say of each exception which of its terms are there."""
    import pyarrow.compute as pc

    e = scan_exceptions
    found: dict[str, Any] = {name: e[name] for name in _COPIED}
    lets_pass = text_is(e["status"], "ignored", "not_affected")
    nothing = series(pc.equal(pc.list_value_length(arrow(e["scope"])), 0), e)
    found |= {
        "lets_pass": lets_pass,
        "may_end": text_is(e["status"], "ignored"),
        "reasoned": ~(empty(e["reason"]) & empty(e["justification"])),
        "owned": ~empty(e["owner"]),
        "ends": series(pc.is_valid(arrow(e["expires_at"])), e),
        "everywhere": nothing | text_is(e["id"], "*"),
    }
    return assembled(e, found, EXCEPTION_TERMS.names)
