"""What a schedule is made of, and the checks of what people write for it."""

from __future__ import annotations

import re
from ipaddress import ip_network

import msgspec

from kaudit.errors import InputError
from kaudit.model.quantity import number
from kaudit.model.standards import NEWEST
from kaudit.parameters import Parameters
from kaudit.schedule.cron import checked
from kaudit.source.live import SECRETS
from kaudit.text import meant
from kaudit.views.image_reference import parsed
from kaudit.waivers import Waiver

_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_VERSION = re.compile(r"v1\.[0-9]{1,3}")
_MOST = 1000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled audit; see :func:`Plan.checked`.

    Attributes
    ----------
    image
        Reference with a digest.
    schedule
        As cron has it, in UTC.
    namespace
        Where everything lives; made anew, since it is locked down.
    kinds
        Plural names of the kinds to read; all by default.
    secrets
        What to ask of Secrets: ``none``, ``metadata`` or ``table``.
    size
        Room of the volume claim.
    storage
        Storage class of the claim; the cluster's default where empty.
    keep
        Earlier runs to keep beside the new one.
    owner
        Who answers for it, as a label.
    api_server
        Networks of the API server; any address on its ports where empty.
    version
        Version that the Pod Security level is pinned to.
    parameters, waivers
        Decisions of the auditor and accepted failures.
    """

    image: str
    schedule: str = "0 3 * * *"
    namespace: str = "kaudit"
    kinds: tuple[str, ...] = ()
    secrets: str = "none"
    size: str = "10Gi"
    storage: str = ""
    keep: int = 30
    owner: str = "security"
    api_server: tuple[str, ...] = ()
    version: str = f"v1.{NEWEST}"
    parameters: Parameters = Parameters()
    waivers: tuple[Waiver, ...] = ()

    def checked(self) -> Plan:
        """Return the plan in its plain form; the namespace and kinds are checked where used.

        Raises
        ------
        InputError
            The server would refuse a part of it, or it would not work.
        """
        _check_image(self.image)
        _check_storage(self.storage)
        if not (number(self.size) or 0) >= 2**20:
            raise InputError(f"{self.size!r} is no room for evidence", hint="such as 10Gi")
        if self.secrets not in SECRETS:
            hint = meant(self.secrets, SECRETS)
            raise InputError(f"{self.secrets!r} is no way to read Secrets", hint=hint)
        if not 1 <= self.keep <= _MOST:
            raise InputError(f"{self.keep} runs cannot be kept", hint=f"1 to {_MOST}")
        if not _LABEL.fullmatch(self.owner):
            raise InputError(
                f"{self.owner!r} is no value of a label",
                hint="at most 63 letters, digits, - . or _, a letter or digit at both ends",
            )
        if not _VERSION.fullmatch(self.version):
            hint = "as kubectl version names the server, such as v1.34"
            raise InputError(f"{self.version!r} is no version of Kubernetes", hint=hint)
        return msgspec.structs.replace(
            self,
            schedule=checked(self.schedule),
            api_server=tuple(_network(text) for text in self.api_server),
        )


def _check_image(image: str) -> None:
    found = parsed(image)
    if not found.valid:
        raise InputError(f"{image!r} is no image reference")
    if not found.digest:
        raise InputError(
            f"the image {image!r} has no digest: what runs would be what somebody last pushed",
            hint=f"write {image}@sha256:...; pushing an image prints its digest, and so does "
            f"docker buildx imagetools inspect {image}",
        )


def _check_storage(storage: str) -> None:
    if "://" in storage:
        raise InputError(
            f"{storage!r} cannot be written: kaudit seals evidence and reports in a file system, "
            "by renaming finished folders, which object stores do not have",
            hint="name the storage class of a CSI driver that mounts the store, or copy finished "
            "runs off the volume claim",
        )
    if storage and not _NAME.fullmatch(storage):
        raise InputError(
            f"{storage!r} is no name of a storage class", hint="kubectl get storageclass lists them"
        )


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        hint = "as kubectl get endpointslices -n default lists them for kubernetes"
        raise InputError(f"{text!r} is no address and no network", hint=hint) from None
