"""External Secrets Operator: what is fetched from stores, and whether that went well.

Source: external-secrets.io, "API specification". Defaults are those of its resource definitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from kaudit.model import external_secrets as eso
from kaudit.model.duration import seconds
from kaudit.model.meta import Condition
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc

_GROUP = "external-secrets.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha1")


class ExternalSecretRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ExternalSecret or ClusterExternalSecret")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterExternalSecret")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid")]
    api_version: Annotated[str, doc("apiVersion that it was read in")]
    store_kind: Annotated[str, doc("SecretStore or ClusterSecretStore; empty: it names none")]
    store: Annotated[str, doc("name of its store; empty: it names none")]
    sources: Annotated[list[str], doc("Kind/name of stores and generators of single entries")]
    target_kind: Annotated[str, doc("kind of what it makes; Secret unless it says otherwise")]
    target: Annotated[str, doc("name of what it makes; its own where it names none")]
    creation_policy: Annotated[str, doc("Owner, Orphan, Merge, CreateOrMerge or None")]
    deletion_policy: Annotated[str, doc("Retain, Delete or Merge: when the store has it no more")]
    immutable: Annotated[bool, doc("what it makes cannot be changed")]
    templated: Annotated[bool, doc("shapes what it makes by a template, which is not read")]
    refresh_policy: Annotated[str, doc("Periodic, OnChange or CreatedOnce; empty: unset")]
    refresh_interval: Annotated[str, doc("refreshInterval; 1h0m0s where it is unset")]
    refresh_seconds: Annotated[float | None, doc("the same in seconds; null: no duration")] = None
    windowed: Annotated[bool, doc("refreshes in windows of time only, or not in them")]
    data: Annotated[int, doc("entries of data")]
    data_from: Annotated[int, doc("entries of dataFrom")]
    remote_keys: Annotated[list[str], doc("key, or key#property, in the store: what it asks for")]
    selectors: Annotated[list[str], doc("namespaces of a ClusterExternalSecret: its terms")]
    ready: Annotated[bool | None, doc("condition Ready; null: none is told")] = None
    reason: Annotated[str | None, doc("reason of that condition")] = None
    refreshed_at: Annotated[datetime | None, doc("last refresh")] = None
    synced_version: Annotated[str | None, doc("syncedResourceVersion")] = None
    binding: Annotated[str | None, doc("Secret that its status names")] = None
    failed_namespaces: Annotated[list[str], doc("namespaces where a ClusterExternalSecret failed")]
    provisioned_namespaces: Annotated[list[str], doc("namespaces where it did not")]
    created_at: Annotated[datetime | None, doc("creation time")] = None


class PushSecretRow(Trace, kw_only=True):
    kind: Annotated[str, doc("PushSecret or ClusterPushSecret")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterPushSecret")]
    name: Annotated[str, doc("name")]
    api_version: Annotated[str, doc("apiVersion that it was read in")]
    stores: Annotated[list[str], doc("Kind/name of the stores it writes to; Kind/*: by label")]
    secret: Annotated[str, doc("Secret that it pushes; *: by label; empty: none, or generated")]
    generator: Annotated[str, doc("Kind/name of the generator that it pushes the value of")]
    refresh_interval: Annotated[str, doc("refreshInterval; 1h0m0s where it is unset")]
    refresh_seconds: Annotated[float | None, doc("the same in seconds; null: no duration")] = None
    update_policy: Annotated[str, doc("Replace or IfNotExists")]
    deletion_policy: Annotated[str, doc("None or Delete: what it pushed, with it")]
    whole: Annotated[bool, doc("pushes keys by pattern, not only those it names")]
    remote_keys: Annotated[list[str], doc("keys in the store that it writes, sorted")]
    selectors: Annotated[list[str], doc("namespaces of a ClusterPushSecret: its terms")]
    ready: Annotated[bool | None, doc("condition Ready; null: none is told")] = None
    reason: Annotated[str | None, doc("reason of that condition")] = None
    refreshed_at: Annotated[datetime | None, doc("last push")] = None
    failed_namespaces: Annotated[list[str], doc("namespaces where a ClusterPushSecret failed")]


EXTERNAL_SECRETS = Table(
    "external_secrets",
    ExternalSecretRow,
    grain="one ExternalSecret or ClusterExternalSecret",
    key=("kind", "namespace", "name", "uid"),
    resource=Resource("kind"),
)
PUSH_SECRETS = Table(
    "push_secrets",
    PushSecretRow,
    grain="one PushSecret or ClusterPushSecret",
    key=("kind", "namespace", "name"),
    resource=Resource("kind"),
)


@collector(
    Read(_GROUP, "ExternalSecret", "externalsecrets", eso.ExternalSecret, _VERSIONS),
    tables=(EXTERNAL_SECRETS,),
)
def external_secrets(found: eso.ExternalSecret, at: Place) -> Iterator[Row]:
    """Yield one row an ExternalSecret."""
    status = found.status
    yield ExternalSecretRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        uid=at.uid,
        api_version=found.api_version,
        **_asked(found.spec, at.name),
        selectors=[],
        ready=Condition.truth(status.conditions, "Ready"),
        reason=_reason(status.conditions, "Ready"),
        refreshed_at=status.refresh_time,
        synced_version=status.synced_resource_version,
        binding=status.binding.name if status.binding else None,
        failed_namespaces=[],
        provisioned_namespaces=[],
        created_at=found.metadata.creation_timestamp,
    )


@collector(
    Read(
        _GROUP,
        "ClusterExternalSecret",
        "clusterexternalsecrets",
        eso.ClusterExternalSecret,
        _VERSIONS,
        namespaced=False,
    ),
    tables=(EXTERNAL_SECRETS,),
)
def cluster_external_secrets(found: eso.ClusterExternalSecret, at: Place) -> Iterator[Row]:
    """Yield one row a ClusterExternalSecret; what it made has rows of its own."""
    spec, status = found.spec, found.status
    ready, reason = _spread(status.conditions)
    named = [f"namespace {name}" for name in spec.namespaces or ()]
    yield ExternalSecretRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace="",
        name=at.name,
        uid=at.uid,
        api_version=found.api_version,
        **_asked(spec.external_secret_spec, spec.external_secret_name or at.name),
        selectors=[*(f"selector {s.canonical}" for s in spec.selectors), *named],
        ready=ready,
        reason=reason,
        failed_namespaces=sorted(f.namespace for f in status.failed_namespaces or ()),
        provisioned_namespaces=sorted(status.provisioned_namespaces or ()),
        created_at=found.metadata.creation_timestamp,
    )


def _asked(spec: eso.ExternalSecretSpec, name: str) -> dict[str, Any]:
    """Columns of what it asks for, where and how often."""
    target, store = spec.target, spec.secret_store_ref
    named = bool(store and store.name)
    interval = _interval(spec.refresh_interval)
    keys = {entry.remote for entry in spec.entries}
    return {
        "store_kind": (store.kind or "SecretStore") if store and named else "",
        "store": (store.name or "") if store else "",
        "sources": sorted({text for entry in spec.entries for text in _sources(entry)}),
        "target_kind": (target.manifest.kind if target.manifest else None) or "Secret",
        "target": target.name or name,
        "creation_policy": target.creation_policy or "Owner",
        "deletion_policy": target.deletion_policy or "Retain",
        "immutable": bool(target.immutable),
        "templated": target.template is not None,
        "refresh_policy": spec.refresh_policy or "",
        "refresh_interval": interval,
        "refresh_seconds": seconds(interval),
        "windowed": spec.sync_windows is not None,
        "data": len(spec.data or ()),
        "data_from": len(spec.data_from or ()),
        "remote_keys": sorted({key for key in keys if key}),
    }


def _sources(entry: eso.Entry) -> Iterator[str]:
    source = entry.source_ref
    if source and source.store_ref:
        yield source.store_ref.text
    if source and source.generator_ref:
        yield _generator(source.generator_ref)


def _generator(found: eso.GeneratorRef | None) -> str:
    return f"{found.kind or ''}/{found.name or ''}" if found else ""


def _interval(given: int | str | None) -> str:
    """Interval as text; unset is one hour, as the definitions of the resources say."""
    return "1h0m0s" if given is None or given == "" else str(given)


def _reason(conditions: list[Condition] | None, type: str) -> str | None:
    return next((c.reason for c in conditions or () if c.type == type), None)


def _spread(conditions: list[Condition] | None) -> tuple[bool | None, str | None]:
    """Whether all namespaces went well, and what was said where not.

    Before v0.9 the controller told what is wrong as conditions of their own.
    """
    for wrong in ("NotReady", "PartiallyReady"):
        if Condition.truth(conditions, wrong):
            partly = Condition.truth(conditions, "PartiallyReady")
            return False, "PartiallyReady" if partly else wrong
    return Condition.truth(conditions, "Ready"), _reason(conditions, "Ready")


@collector(
    Read(_GROUP, "PushSecret", "pushsecrets", eso.PushSecret, ("v1alpha1",)),
    tables=(PUSH_SECRETS,),
)
def push_secrets(found: eso.PushSecret, at: Place) -> Iterator[Row]:
    """Yield one row a PushSecret."""
    status = found.status
    yield PushSecretRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace=at.namespace,
        name=at.name,
        api_version=found.api_version,
        **_pushed(found.spec),
        selectors=[],
        ready=Condition.truth(status.conditions, "Ready"),
        reason=_reason(status.conditions, "Ready"),
        refreshed_at=status.refresh_time,
        failed_namespaces=[],
    )


@collector(
    Read(
        _GROUP,
        "ClusterPushSecret",
        "clusterpushsecrets",
        eso.ClusterPushSecret,
        ("v1alpha1",),
        namespaced=False,
    ),
    tables=(PUSH_SECRETS,),
)
def cluster_push_secrets(found: eso.ClusterPushSecret, at: Place) -> Iterator[Row]:
    """Yield one row a ClusterPushSecret."""
    ready, reason = _spread(found.status.conditions)
    yield PushSecretRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace="",
        name=at.name,
        api_version=found.api_version,
        **_pushed(found.spec.push_secret_spec),
        selectors=[f"selector {s.canonical}" for s in found.spec.namespace_selectors or ()],
        ready=ready,
        reason=reason,
        failed_namespaces=sorted(f.namespace for f in found.status.failed_namespaces or ()),
    )


def _pushed(spec: eso.PushSecretSpec) -> dict[str, Any]:
    """Columns of what it pushes, and where to."""
    secret = spec.selector.secret
    name = (secret.name or ("*" if secret.selector else "")) if secret else ""
    interval = _interval(spec.refresh_interval)
    keys = {entry.remote for entry in spec.data or ()}
    return {
        "stores": sorted({store.text for store in spec.secret_store_refs or ()}),
        "secret": name,
        "generator": _generator(spec.selector.generator_ref),
        "refresh_interval": interval,
        "refresh_seconds": seconds(interval),
        "update_policy": spec.update_policy or "Replace",
        "deletion_policy": spec.deletion_policy or "None",
        "whole": bool(spec.data_to),
        "remote_keys": sorted({key for key in keys if key}),
    }
