"""Requests to an API server: read-only, polite, patient, bounded.

Configuration and transport are the official client's; what comes back is bytes. Two things
can be sent: GET, and the reviews in which an account asks about its own rights, which the
API models as POST and which change nothing in the cluster.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import inf
from typing import Any, Literal

import msgspec

from kaudit import __version__
from kaudit.errors import AccessDenied, InputError, SourceError, Unreachable
from kaudit.model.words import Reason
from kaudit.source.live_refusal import TRANSIENT, Again, broken_connection, distrust, refusal

JSON = "application/json"
_SECOND_TRY = 2
_RENEWALS = 5
_MOST_OF_A_REFUSAL = 1 << 16
_CHUNK = 1 << 20
#: A body may take this many read timeouts in all, however it trickles.
_TRICKLE = 5
#: Tries in a row, over all requests, without any answer before the server can be given up.
_SILENCE = 8
#: Pauses grow to so many times the first.
_LONGER = 8
#: Seconds in which a server that is back may not know yet who is allowed what.
_JUST_BACK = 10.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How patiently and how fast a server is asked; times are in seconds.

    Attributes
    ----------
    connect, read
        Time limits of a connection, and of waiting for the next bytes of an answer.
    tries
        Most tries of one request; one that timed out is tried twice.
    pause, longest_pause
        Pause before the second try, doubled each time; longest that ``Retry-After`` is granted.
    per_second, burst
        Requests a second on average, and at once.
    deadline
        Time limit of the whole run; None: none.
    silence
        How long a server that has answered before may be away, as one that is started again is.
    command
        Time limit of a credential plugin.
    page
        Objects asked for in one answer.
    largest
        Bytes of one answer, unpacked, beyond which it is dropped.
    workers
        Requests side by side.
    """

    connect: float = 5.0
    read: float = 60.0
    tries: int = 4
    pause: float = 0.5
    longest_pause: float = 30.0
    per_second: float = 20.0
    burst: int = 40
    deadline: float | None = None
    silence: float = 30.0
    command: float = 60.0
    page: int = 500
    largest: int = 512 << 20
    workers: int = 4


class Stopped(Exception):
    """Nobody listens any more."""


class Answer(msgspec.Struct):
    """Body of an answer, unpacked, with the server's time."""

    body: bytes
    date: datetime | None


class _Request(msgspec.Struct):
    what: str
    method: str
    path: str
    query: list[tuple[str, str | int]]
    accept: str = JSON
    body: dict[str, Any] | None = None


class Server:
    """One API server.

    Parameters
    ----------
    configuration
        ``kubernetes.client.Configuration``.
    headers
        Sent with every request beside the client's own: impersonation.
    patience
        Time limits and rates.
    renew
        Gets new credentials into the configuration; called after a 401.
    """

    def __init__(
        self,
        configuration: Any,
        *,
        headers: Sequence[tuple[str, str]] = (),
        patience: Patience | None = None,
        renew: Callable[[], None] | None = None,
    ) -> None:
        from kubernetes.client import ApiClient
        from urllib3 import Retry

        self.patience = patience or Patience()
        # Neither its retries, which are ours, nor redirects, which could lead off the host.
        configuration.retries = Retry(total=False, redirect=0, raise_on_redirect=False)
        self._api = ApiClient(configuration)
        self._api.user_agent = f"kaudit/{__version__}"
        self._headers = tuple(headers)
        self._renew, self._renewed = renew, 0
        self._lock = threading.Lock()
        self._turns = _Turns(self.patience.per_second, self.patience.burst)
        self.start()

    def start(self) -> None:
        """Begin a run: its time limit counts from here."""
        limit = self.patience.deadline
        self._end = None if limit is None else time.monotonic() + limit
        self._silences, self._heard, self._missed = 0, 0.0, -inf
        self.stop = threading.Event()
        self.date: datetime | None = None

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    def get(
        self,
        what: str,
        path: str,
        query: Sequence[tuple[str, str | int]] = (),
        *,
        accept: str = JSON,
        tries: int | None = None,
    ) -> Answer:
        """GET a path.

        Raises
        ------
        SourceError
            AccessDenied (401, 403), NotServed (404, 406), Gone (410), Unreachable (no
            answer, also after retries), or itself for anything else that is no answer.
        """
        return self._sent(_Request(what, "GET", path, list(query), accept), tries)

    def review(
        self,
        what: str,
        kind: Literal["SelfSubjectAccessReview", "SelfSubjectRulesReview"],
        spec: Mapping[str, Any],
    ) -> Answer:
        """Ask what the account itself may do; raises as :meth:`get` does."""
        path = f"/apis/authorization.k8s.io/v1/{kind.lower()}s"
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": dict(spec)}
        return self._sent(_Request(what, "POST", path, [], body=body), None)

    def _sent(self, request: _Request, tries: int | None) -> Answer:
        most = tries or self.patience.tries
        attempt, since, renewed, failed = 1, self._renewed, False, inf
        while True:
            self._wait_for_turn(request.what)
            try:
                return self._tried(request)
            except Again as again:
                failed = min(failed, time.monotonic())
                if attempt >= min(most, again.tries) and not (again.away and self._away(failed)):
                    raise again.error from None
                pause = self.patience.pause * min(2 ** (attempt - 1), _LONGER)
                self._sleep(pause if again.pause is None else again.pause)
                attempt += 1
            except AccessDenied as fault:
                denied = fault.reason == Reason.UNAUTHENTICATED
                if denied and not renewed and self._has_new(since):
                    renewed = True
                elif time.monotonic() - self._missed < _JUST_BACK:
                    self._sleep(self.patience.pause)
                else:
                    raise

    def _away(self, since: float) -> bool:
        """Whether the server answered before, but nobody since, and may be back soon."""
        return 0 < self._heard < since and self._quiet() < self.patience.silence

    def _quiet(self) -> float:
        return time.monotonic() - self._heard

    def _has_new(self, since: int) -> bool:
        """Whether there are newer credentials than at ``since``; renews them if need be."""
        with self._lock:
            if self._renew is not None and self._renewed == since < _RENEWALS:
                try:
                    self._renew()
                except InputError:
                    return False  # the 401 says enough
                self._renewed += 1
        return self._renewed > since

    def _wait_for_turn(self, what: str) -> None:
        self._sleep(self._turns.take())
        if self._end is not None and time.monotonic() >= self._end:
            said = f"the time limit of the whole run, {self.patience.deadline:g} s, is used up"
            raise Unreachable(what, reason=Reason.TIMEOUT, detail=said)
        if self._silences >= _SILENCE and self._quiet() >= self.patience.silence:
            said = f"nothing was answered for {self._quiet():.0f} s, and it was not asked again"
            raise Unreachable(what, reason=Reason.UNREACHABLE, detail=said)

    def _sleep(self, seconds: float) -> None:
        if self._end is not None:
            seconds = min(seconds, max(0.0, self._end - time.monotonic()))
        if self.stop.wait(seconds) if seconds else self.stop.is_set():
            raise Stopped

    def _tried(self, request: _Request) -> Answer:
        from kubernetes.client.exceptions import ApiException
        from urllib3 import exceptions

        what, limits = request.what, self.patience
        try:
            response = self._response(request)
            try:
                return self._answer(what, response)
            finally:
                if not response.closed:  # unread bytes would be taken for the next answer
                    response.close()
        except ApiException as fault:  # the client's name for TLS that failed
            detail = distrust(fault)
            raise Unreachable(what, reason=Reason.UNREACHABLE, detail=detail) from None
        except exceptions.ReadTimeoutError as fault:
            if "handshake" in str(fault.__cause__):  # a server that starts listens before
                said = f"no connection within {limits.connect:g} s: TLS was not agreed on"
                raise self._silence(what, Reason.TIMEOUT, said, away=True) from None
            raise self._silence(what, Reason.TIMEOUT, _hung(limits.read)) from None
        except exceptions.ConnectTimeoutError as fault:
            if isinstance(fault, exceptions.NewConnectionError):
                said = broken_connection(fault)
                raise self._silence(what, Reason.UNREACHABLE, said, away=True) from None
            said = f"no connection within {limits.connect:g} s"
            raise self._silence(what, Reason.TIMEOUT, said, away=True) from None
        except (exceptions.HTTPError, OSError, ValueError) as fault:
            said = broken_connection(fault)
            raise self._silence(what, Reason.UNREACHABLE, said, away=True) from None

    def _silence(self, what: str, reason: Reason, detail: str, *, away: bool = False) -> Again:
        self._silences += 1
        tries = _SECOND_TRY if reason is Reason.TIMEOUT else self.patience.tries
        if away:
            self._missed = time.monotonic()
        return Again(Unreachable(what, reason=reason, detail=detail), tries=tries, away=away)

    def _hear(self) -> None:
        self._silences, self._heard = 0, time.monotonic()

    def _response(self, request: _Request) -> Any:
        from urllib3 import HTTPHeaderDict

        with self._lock:  # it may read a new token
            method, url, params, body, _ = self._api.param_serialize(
                request.method,
                request.path,
                query_params=request.query,
                header_params={"Accept": request.accept, "Accept-Encoding": "gzip"},
                body=request.body,
                auth_settings=["BearerToken"],
            )
        headers = HTTPHeaderDict(params)
        for name, value in self._headers:
            headers.add(name, value)
        if body is not None:
            headers["Content-Type"] = JSON
        read = self.patience.read
        if self._end is not None:
            read = max(0.05, min(read, self._end - time.monotonic()))
        limits = (self.patience.connect, read)
        return self._api.call_api(method, url, headers, body, _request_timeout=limits).response

    def _answer(self, what: str, response: Any) -> Answer:
        date = _moment(response.headers.get("Date"))
        self.date = self.date or date
        status = response.status
        if 200 <= status < 300:
            body = self._body(what, response)
            self._hear()
            return Answer(body, date)
        said = response.read(_MOST_OF_A_REFUSAL)
        error = refusal(what, status, said)
        if status not in TRANSIENT:
            self._hear()
            raise error
        self._silences += 1  # somebody is there, but serves nothing
        waits = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        asked = response.headers.get("Retry-After", "").strip() if waits else ""
        pause = min(float(asked), self.patience.longest_pause) if asked.isdecimal() else None
        slow = status == HTTPStatus.GATEWAY_TIMEOUT
        raise Again(error, tries=_SECOND_TRY if slow else self.patience.tries, pause=pause)

    def _body(self, what: str, response: Any) -> bytes:
        chunks, size, most = [], 0, self.patience.largest
        limit = _TRICKLE * self.patience.read
        until = time.monotonic() + limit
        while chunk := response.read1(_CHUNK):
            size += len(chunk)
            chunks.append(chunk)
            if size > most:
                said = f"the answer is larger than {most >> 20} MiB, and was dropped"
                raise SourceError(what, reason=Reason.TOO_LARGE, detail=said)
            if time.monotonic() > until:
                raise self._silence(what, Reason.TIMEOUT, _hung(limit))
        return b"".join(chunks)


class _Turns:
    """Gives turns at a rate, with bursts."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._rate, self._burst = per_second, float(burst)
        self._left, self._at = float(burst), time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a turn; return the seconds to wait before it."""
        with self._lock:
            now = time.monotonic()
            self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
            self._at = now
            return max(0.0, -self._left / self._rate)


def _hung(seconds: float) -> str:
    return f"no whole answer within {seconds:g} s"


def _moment(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
