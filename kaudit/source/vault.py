"""Ask a Vault how it stands: sys/health and sys/seal-status, without a login, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kaudit.errors import InputError
from kaudit.model.words import Gap, Reason
from kaudit.registry import Read
from kaudit.source.events import Event, KindId, Progress, silent
from kaudit.source.tools import OutputSource

_SECONDS = 10


class VaultSource:
    """Reads the health and the seal of one Vault.

    Raises
    ------
    InputError
        The address is none, holds a credential, or hvac is not installed.
    """

    live = False

    def __init__(self, address: str) -> None:
        try:
            parts = urlsplit(address)
        except ValueError:  # brackets of no address
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{address!r} is no address of a Vault", hint="https://HOST:8200")
        if parts.username or parts.password or parts.query:
            raise InputError("the address of a Vault holds no credential", hint="https://HOST:8200")
        try:
            import hvac  # type: ignore[import-untyped]  # noqa: F401  it is asked for only here
        except ImportError:
            hint = "pip install 'kaudit[vault]'"
            raise InputError("--vault needs the package hvac", hint=hint) from None
        self.address = f"{parts.scheme}://{parts.netloc}"
        self.label = f"Vault {parts.netloc}"
        self.as_of: datetime | None = None

    def read(self, wanted: Mapping[KindId, Read], progress: Progress = silent) -> Iterator[Event]:
        """Yield its status, or a gap where it does not answer."""
        try:
            told = {"vaultAddress": self.address, **self._asked()}
        except (OSError, ValueError, msgspec.MsgspecError) as fault:
            yield Gap(
                what=f"status of {self.label}",
                reason=Reason.UNREACHABLE,
                tables=("vaults",),
                detail=type(fault).__name__,
            )
            return
        source = OutputSource(self.label, msgspec.json.encode(told))
        yield from source.read(wanted, progress)

    def _asked(self) -> dict[str, Any]:
        import hvac

        client = hvac.Client(
            url=self.address, token="", timeout=_SECONDS, allow_redirects=False, verify=True
        )
        try:
            health = client.sys.read_health_status(method="GET")
            seal = client.sys.read_seal_status()
        except hvac.exceptions.VaultError as fault:
            raise ValueError(type(fault).__name__) from None
        return {"health": _body(health), "seal": _body(seal)}


def _body(answer: Any) -> Any:
    """Answer as it came: hvac decodes those of status 200 alone."""
    return answer if isinstance(answer, dict) else answer.json()
