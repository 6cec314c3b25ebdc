"""ConfigMaps and Secrets on the wire: keys and verdicts, never values.

What sensors, audit logs and the like are configured by is taken apart while it is decoded, and
kept by its parts.
"""

from __future__ import annotations

from base64 import b64decode

import msgspec
from msgspec import Raw, field

from kaudit.model import audit_policy, falco_rules, kubelet_config, scheduler_config
from kaudit.model.certificate_text import first_end
from kaudit.model.credential import inside, verdict
from kaudit.model.ingress_nginx import setting_of
from kaudit.model.kyverno_filters import settings_of
from kaudit.model.meta import REDACTED, Int, ManagedFields, Metadata, Part, Resource, Time


class Judged(Part):
    """What is kept of a value: its size and what it looks like."""

    redacted_bytes: Int
    verdict: str = ""
    falco: falco_rules.File | None = None
    kyverno: list[str] | None = None
    audit: audit_policy.Judged | None = None
    scheduler: scheduler_config.Settings | None = None
    kubelet: kubelet_config.Settings | None = None
    ingress_nginx: str = ""


class ConfigMap(Resource):
    """core v1 ConfigMap: of values only what :class:`Judged` says of them."""

    data: dict[str, Raw] | None = None
    binary_data: dict[str, Raw] | None = None
    immutable: bool | None = None

    def __post_init__(self) -> None:
        for values, binary in ((self.data, False), (self.binary_data, True)):
            if values:
                for key, raw in values.items():
                    values[key] = Raw(msgspec.json.encode(_judged(key, raw, binary=binary)))

    @property
    def judged(self) -> list[tuple[str, bool, Judged]]:
        """Keys, whether they are binary, and what is known of their values; sorted."""
        found = [
            (key, binary, _judgement(raw))
            for values, binary in ((self.data, False), (self.binary_data, True))
            for key, raw in (values or {}).items()
        ]
        return sorted(found, key=lambda entry: entry[:2])


_judgement = msgspec.json.Decoder(Judged).decode


def _judged(key: str, raw: Raw, *, binary: bool) -> Judged:
    """Judge a value; one that was judged before stays as it is."""
    if bytes(raw)[:1] == b"{":
        return _judgement(raw)
    value = msgspec.json.decode(raw)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"data {key}: expected text")
    data = (value or "").encode()
    if binary:
        data = b64decode(data)
    text = data.decode("utf-8", "replace")
    looks = verdict(key, text) or inside(text)
    return Judged(
        len(data),
        looks,
        falco=falco_rules.file_of(key, text),
        kyverno=settings_of(key, text),
        audit=audit_policy.of_text(key, text),
        scheduler=scheduler_config.of_text(key, text),
        kubelet=kubelet_config.declared(key, text),
        ingress_nginx=setting_of(key, text),
    )


class SecretMetadata(Metadata):
    """metadata of a Secret: as of every object, and when it was last changed."""

    managed_fields: list[ManagedFields] | None = None


class Secret(Resource):
    """core v1 Secret: type and key names; values are dropped while decoding.

    Of tls.crt, which a server shows everybody, the end is noted.
    """

    metadata: SecretMetadata = field(default_factory=SecretMetadata)
    type: str | None = None
    data: dict[str, Raw] | None = None
    string_data: dict[str, Raw] | None = None
    immutable: bool | None = None
    certificate_expires_at: Time | None = None

    def __post_init__(self) -> None:
        if self.data and "tls.crt" in self.data:
            self.certificate_expires_at = first_end(self.data["tls.crt"]) or (
                self.certificate_expires_at
            )
        for values in (self.data, self.string_data):
            for key in values or ():
                values[key] = REDACTED  # type: ignore[index]  # not None: it has keys
