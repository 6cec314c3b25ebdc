"""What an API server's refusals, silences and broken connections mean, as errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from kaudit.errors import AccessDenied, NotServed, SourceError, Unreachable
from kaudit.model.words import Reason
from kaudit.source.live_body import Garbled, decoded

#: Statuses that a later try may change.
TRANSIENT = (429, 500, 502, 503, 504)
_LONGEST = 300


class Gone(SourceError):
    """410: the place in a list is no longer known; ``token`` goes on at a newer version."""

    def __init__(self, what: str, *, detail: str, token: str) -> None:
        super().__init__(what, reason=Reason.PARTIAL, detail=detail)
        self.token = token


class Again(Exception):
    """A failed try that may be repeated until there were ``tries`` in all.

    ``away`` is True where the server may be away for a moment: then more tries may follow.
    """

    def __init__(
        self, error: SourceError, *, tries: int, pause: float | None = None, away: bool = False
    ) -> None:
        self.error, self.tries, self.pause, self.away = error, tries, pause, away


class _Meta(msgspec.Struct):
    continue_: str | None = msgspec.field(default=None, name="continue")


class _Status(msgspec.Struct):
    message: str | None = None
    metadata: _Meta | None = None


_status = msgspec.json.Decoder(_Status).decode


def refusal(what: str, status: int, body: bytes) -> SourceError:
    """Turn an answer that is no success into an error with its reason."""
    told = _told(body)
    message = shortened(told.message or "")
    said = f"{status} {_phrase(status)}" + (f": {message}" if message else "")
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessDenied(what, reason=Reason.UNAUTHENTICATED, detail=said)
    if status == HTTPStatus.FORBIDDEN:
        return AccessDenied(what, reason=Reason.FORBIDDEN, detail=said)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE):
        return NotServed(what, reason=Reason.ABSENT, detail=said)
    if status == HTTPStatus.GONE:
        token = told.metadata.continue_ if told.metadata else None
        return Gone(what, detail=said, token=token or "")
    if status in TRANSIENT:
        return Unreachable(what, reason=Reason.UNREACHABLE, detail=said)
    if 300 <= status < 400:
        said += "; redirects are not followed"
    return SourceError(what, reason=Reason.BROKEN, detail=said)


def _told(body: bytes) -> _Status:
    try:
        return decoded(body, _status)
    except Garbled:
        return _Status()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(not a known status)"


def shortened(text: str) -> str:
    """Cut what the other side said to a length that a table bears."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def distrust(fault: Any) -> str:
    """Say why TLS failed, and where trust is configured."""
    said = shortened(str(fault.reason or "").rpartition("\n")[2])
    return (
        f"TLS failed: {said}; check certificate-authority and tls-server-name of the cluster, "
        "and client-certificate of the user, in the kubeconfig"
    )


def broken_connection(fault: BaseException) -> str:
    """Say what failed, without the URL, which may carry credentials."""
    from urllib3 import exceptions

    if isinstance(fault, exceptions.NameResolutionError):
        return "the name of the server cannot be resolved"
    if isinstance(fault, exceptions.ProxyError):
        return "the proxy did not connect"
    if isinstance(fault, exceptions.DecodeError):
        return "the answer cannot be unpacked"
    inner: BaseException | None = fault
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return f"the connection failed: {inner.strerror}"
        inner = next((a for a in inner.args if isinstance(a, BaseException)), inner.__cause__)
    if isinstance(fault, exceptions.ProtocolError):
        return "the connection broke"
    return f"no connection: {type(fault).__name__}"
