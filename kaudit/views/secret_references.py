"""Everything that names a Secret: workloads, service accounts, TLS, stores, volumes, issuers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, text_is, unlisted
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class SecretReferenceRow(Trace, kw_only=True):
    kind: Annotated[str, doc("kind of what names the Secret; of a pod that of its topmost owner")]
    namespace: Annotated[str, doc("its namespace; empty for a kind of the whole cluster")]
    name: Annotated[str, doc("its name")]
    secret_namespace: Annotated[str, doc("namespace of the Secret")]
    secret: Annotated[str, doc("name of the Secret")]
    way: Annotated[
        str,
        doc(
            "env, envFrom, file, subPath, pull, login, token: of a service account, tls, "
            "annotation, store: a store logs in with it, pushed: to a store, issuer"
        ),
    ]
    of_workload: Annotated[bool, doc("a pod or a template names it")]
    pods: Annotated[int, doc("pods or templates; 0 for what is none")]
    fixed: Annotated[bool, doc("what was read at the start stays: env, envFrom and subPath")]
    started_at: Annotated[datetime | None, doc("oldest start of a container that holds it so")]


SECRET_REFERENCES = Table(
    "secret_references",
    SecretReferenceRow,
    grain="one Secret as one object refers to it in one way",
    key=("secret_namespace", "secret", "kind", "namespace", "name", "way", "raw", "raw_line"),
    resource=Resource("kind"),
)
#: Annotations of ingress-nginx that name a Secret, as ``name`` or ``namespace/name``.
_ANNOTATIONS = tuple(
    f"nginx.ingress.kubernetes.io/{name}="
    for name in ("auth-secret", "auth-tls-secret", "proxy-ssl-secret")
)


@view(
    SECRET_REFERENCES,
    naming=(
        "service_accounts",
        "ingresses",
        "gateway_listeners",
        "secret_stores",
        "secret_generators",
        "push_secrets",
        "persistent_volumes",
        "storage_classes",
        "certificate_issuers",
    ),
)
def secret_references(
    secret_uses: pd.DataFrame,
    service_accounts: pd.DataFrame,
    ingresses: pd.DataFrame,
    gateway_listeners: pd.DataFrame,
    secret_stores: pd.DataFrame,
    secret_generators: pd.DataFrame,
    push_secrets: pd.DataFrame,
    persistent_volumes: pd.DataFrame,
    storage_classes: pd.DataFrame,
    certificate_issuers: pd.DataFrame,
) -> pd.DataFrame:
    """Put all references one under the other."""
    import pyarrow as pa

    parts = [
        _of_workloads(secret_uses),
        *_own(service_accounts, "secrets", "token"),
        *_own(service_accounts, "image_pull_secrets", "pull"),
        *_own(ingresses, "tls_secrets", "tls"),
        _annotated(ingresses),
        *_elsewhere(gateway_listeners, "certificates", "tls"),
        *_elsewhere(secret_stores, "secrets", "store"),
        *_elsewhere(secret_generators, "secrets", "store"),
        *_elsewhere(persistent_volumes, "secrets", "login"),
        *_elsewhere(storage_classes, "secrets", "login"),
        *_elsewhere(certificate_issuers, "secrets", "issuer"),
        _pushed(push_secrets),
    ]
    return frame(SECRET_REFERENCES.sorted(pa.concat_tables(parts)))


def _of_workloads(uses: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    names = {"kind": "owner_kind", "name": "owner_name", "secret_namespace": "namespace"}
    columns: dict[str, Any] = {
        name: arrow(uses[names.get(name, name)])
        for name in SECRET_REFERENCES.names
        if name != "of_workload"
    }
    columns["of_workload"] = pa.array([True] * len(uses), pa.bool_())
    return SECRET_REFERENCES.fitted(columns)


def _made(rows: pd.DataFrame, homes: pa.Array, secrets: pa.Array, way: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    many = len(rows)
    home = "namespace" in rows.columns
    columns: dict[str, Any] = {
        name: arrow(rows[name]) for name in ("kind", "name", "raw", "raw_line")
    }
    columns |= {
        "namespace": arrow(rows["namespace"]) if home else pa.array([""] * many, pa.string()),
        "secret_namespace": homes,
        "secret": secrets,
        "way": pa.array([way] * many, pa.string()),
        "of_workload": pa.array([False] * many, pa.bool_()),
        "fixed": pa.array([False] * many, pa.bool_()),
        "pods": pa.array([0] * many, pa.int64()),
        "started_at": pa.nulls(many, SECRET_REFERENCES.schema.field("started_at").type),
    }
    found = pa.table(columns)
    return SECRET_REFERENCES.fitted(found.filter(pc.not_equal(found["secret"], "")))


def _own(rows: pd.DataFrame, column: str, way: str) -> Iterator[pa.Table]:
    """Of lists of names: Secrets of the same namespace."""
    listed, names = unlisted(rows, column)
    yield _made(listed, arrow(listed["namespace"]), names, way)


def _elsewhere(rows: pd.DataFrame, column: str, way: str) -> Iterator[pa.Table]:
    """Of lists of ``namespace/name``."""
    listed, texts = unlisted(rows, column)
    yield _apart(listed, texts, way)


def _apart(rows: pd.DataFrame, texts: pa.Array, way: str) -> pa.Table:
    import pyarrow.compute as pc

    parts = pc.extract_regex(texts, r"^(?P<home>[^/]*)/(?P<name>.*)$")
    home, name = (pc.fill_null(pc.struct_field(parts, part), "") for part in ("home", "name"))
    return _made(rows, home, name, way)


def _annotated(ingresses: pd.DataFrame) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    listed, texts = unlisted(ingresses, "annotations")
    named = pc.starts_with(texts, _ANNOTATIONS[0])
    for other in _ANNOTATIONS[1:]:
        named = pc.or_(named, pc.starts_with(texts, other))
    listed = listed[named.to_numpy(zero_copy_only=False)].reset_index(drop=True)
    values = [text.partition("=")[2] for text in texts.filter(named).to_pylist()]
    full = [
        text if "/" in text else f"{home}/{text}"
        for text, home in zip(values, listed["namespace"], strict=True)
    ]
    return _apart(listed, pa.array(full, pa.string()), "annotation")


def _pushed(pushes: pd.DataFrame) -> pa.Table:
    """PushSecrets that name one Secret; a label selector, or a generator, names none."""
    chosen = pushes[(~text_is(pushes["secret"], "", "*")).to_numpy(bool)].reset_index(drop=True)
    return _made(chosen, arrow(chosen["namespace"]), arrow(chosen["secret"]), "pushed")
