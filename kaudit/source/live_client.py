"""Raw reads from an API server: the official client's configuration and transport, no models.

Only GET is sent, and POST of self subject access reviews, which ask and change nothing.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import msgspec

from kaudit import __version__
from kaudit.errors import AccessDenied, InputError, NotServed, SourceError, Unreachable
from kaudit.model.words import Reason

#: Statuses that a later try may change.
_AGAIN = {429, 500, 502, 503, 504}


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for a server, in seconds, and how often to ask."""

    connect: float = 5
    read: float = 60
    tries: int = 4
    pause: float = 0.5
    longest_pause: float = 30
    per_second: float = 20
    command: float = 30


class Answer(msgspec.Struct, frozen=True):
    """An answer: body, its content type, and the server's Date header."""

    body: bytes
    kind: str
    date: str


class _Said(msgspec.Struct):
    message: str = ""
    reason: str = ""


class Client:
    """Sends requests politely, and retries what may go better.

    Parameters
    ----------
    api
        ``kubernetes.client.ApiClient``; its configuration and transport are used, never its
        models.
    patience
        Time limits, tries and rate.
    """

    def __init__(self, api: Any, patience: Patience) -> None:
        self._api, self.patience = api, patience
        self._lock = threading.Lock()
        self._next = 0.0
        self.date = ""

    def get(self, path: str, *, accept: str = "application/json", **query: object) -> Answer:
        """Read a path.

        Raises
        ------
        SourceError
            AccessDenied, NotServed, Unreachable, or another refusal with its reason.
        """
        pairs = [(name, value) for name, value in query.items() if value not in (None, "")]
        return self._sent("GET", path, pairs, accept, None)

    def review(self, body: Mapping[str, Any]) -> Answer:
        """Ask whether the account may do something."""
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return self._sent("POST", path, [], "application/json", body)

    def _sent(
        self, method: str, path: str, query: list[tuple[str, object]], accept: str, body: Any
    ) -> Answer:
        pause = self.patience.pause
        for attempt in range(self.patience.tries):
            last = attempt == self.patience.tries - 1
            self._wait_for_turn()
            try:
                status, headers, data = self._once(method, path, query, accept, body)
            except Unreachable:
                if last:
                    raise
                time.sleep(pause)
            else:
                if status < 300:
                    self.date = self.date or headers.get("Date", "")
                    return Answer(data, headers.get("Content-Type", ""), headers.get("Date", ""))
                if status not in _AGAIN or last:
                    raise refusal(path, status, data)
                time.sleep(min(self._asked_pause(headers, pause), self.patience.longest_pause))
            pause = min(pause * 2, self.patience.longest_pause)
        raise Unreachable(f"read {path}", reason=Reason.UNREACHABLE, detail="no try was left")

    @staticmethod
    def _asked_pause(headers: Mapping[str, str], default: float) -> float:
        asked = headers.get("Retry-After", "")
        return float(asked) if asked.isdigit() else default

    def _wait_for_turn(self) -> None:
        """Keep to a number of requests a second over all threads."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + 1 / self.patience.per_second
        if at > now:
            time.sleep(at - now)

    def _once(
        self, method: str, path: str, query: list[tuple[str, object]], accept: str, body: Any
    ) -> tuple[int, Mapping[str, str], bytes]:
        import urllib3
        from kubernetes.client.exceptions import ApiException

        headers = {
            "Accept": accept,
            "Accept-Encoding": "gzip",
            "User-Agent": f"kaudit/{__version__}",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            request = self._api.param_serialize(
                method,
                path,
                query_params=query,
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            limits = (self.patience.connect, self.patience.read)
            answer = self._api.call_api(*request, _request_timeout=limits)
            return answer.status, answer.headers, answer.read()
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as fault:
            raise unreachable(path, fault) from None


def unreachable(path: str, fault: Exception) -> Unreachable:
    """Say why no answer came."""
    import urllib3

    text = f"{type(fault).__name__} {fault}"
    timed = isinstance(fault, urllib3.exceptions.TimeoutError) or "timed out" in text.lower()
    if "CERTIFICATE_VERIFY_FAILED" in text or "SSLError" in text:
        detail = "its certificate is not trusted; name its CA in the kubeconfig"
        return Unreachable(f"read {path}", reason=Reason.UNREACHABLE, detail=detail)
    reason = Reason.TIMEOUT if timed else Reason.UNREACHABLE
    return Unreachable(f"read {path}", reason=reason, detail=type(fault).__name__)


def refusal(path: str, status: int, data: bytes) -> SourceError:
    """Turn an HTTP status into an error with its reason."""
    try:
        said = msgspec.json.decode(data, type=_Said).message[:500]
    except (msgspec.DecodeError, msgspec.ValidationError):
        said = f"HTTP {status}"
    what = f"read {path}"
    if status == 401:
        return AccessDenied(what, reason=Reason.UNAUTHENTICATED, detail=said or "HTTP 401")
    if status == 403:
        return AccessDenied(what, reason=Reason.FORBIDDEN, detail=said or "HTTP 403")
    if status == 404:
        return NotServed(what, reason=Reason.ABSENT, detail="the API server does not serve it")
    if status == 410:
        return SourceError(what, reason=Reason.PARTIAL, detail=said or "HTTP 410")
    return SourceError(what, reason=Reason.UNREACHABLE, detail=f"HTTP {status}: {said}")


def moment(date: str) -> Any:
    """Time of a Date header, or None."""
    try:
        return parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None


def configured(context: str | None, kubeconfig: Path | None, patience: Patience) -> tuple[Any, str]:
    """Return an API client for a context, and the context's name.

    Raises
    ------
    InputError
        No usable kubeconfig, or no such context.
    """
    import urllib3
    from kubernetes import client
    from kubernetes.config.config_exception import ConfigException

    config: Any = importlib.import_module("kubernetes.config")
    settings = client.Configuration()
    place = str(kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config")
    inside = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    files = [Path(p).expanduser() for p in place.split(os.pathsep) if p]
    if not any(f.exists() for f in files):
        if context or not inside.exists():
            raise InputError("there is no kubeconfig", where=place, hint="set KUBECONFIG")
        config.load_incluster_config(client_configuration=settings)
        name = "in-cluster"
    else:
        name = _context(context, kubeconfig, place)
        load: Callable[[], None] = lambda: config.load_kube_config(  # noqa: E731
            config_file=str(kubeconfig) if kubeconfig else None,
            context=name,
            client_configuration=settings,
        )
        _within(load, patience.command, place, ConfigException)
    settings.retries = urllib3.Retry(total=0, redirect=0, raise_on_redirect=False)
    return client.ApiClient(settings), name


def _context(wanted: str | None, kubeconfig: Path | None, place: str) -> str:
    from kubernetes.config.config_exception import ConfigException

    config: Any = importlib.import_module("kubernetes.config")
    try:
        contexts, active = config.list_kube_config_contexts(str(kubeconfig) if kubeconfig else None)
    except (ConfigException, OSError, ValueError, TypeError, AttributeError) as fault:
        raise InputError(f"not a usable kubeconfig: {fault}", where=place) from None
    except Exception as fault:
        if type(fault).__module__.startswith("yaml"):
            raise InputError("not a usable kubeconfig: it is no YAML", where=place) from None
        raise
    names = [str(c["name"]) for c in contexts or ()]
    chosen = wanted or (active or {}).get("name", "")
    if chosen not in names:
        raise InputError(
            f"there is no context {chosen!r}",
            where=place,
            hint=f"it has {', '.join(names) or 'none'}",
        )
    return str(chosen)


def _within(
    load: Callable[[], None], seconds: float, place: str, expected: type[Exception]
) -> None:
    """Run the loading of credentials, which may start a plugin, under a time limit."""
    fault: list[BaseException] = []

    def run() -> None:
        try:
            load()
        except BaseException as error:  # noqa: BLE001  handed on to the caller's thread
            fault.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise InputError(f"its credentials did not come within {seconds:g} s", where=place)
    if fault:
        error = fault[0]
        if isinstance(error, (expected, OSError, ValueError, TypeError, KeyError)):
            raise InputError(f"its credentials cannot be used: {error}", where=place) from None
        raise error
