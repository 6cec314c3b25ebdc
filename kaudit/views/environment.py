"""Environment variables, probes and projected tokens with their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, owned, text_is
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OWNED_CONTAINER, OWNER, POD_KEY, OfPod

if TYPE_CHECKING:
    import pandas as pd


class EnvironmentRow(OfPod, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    position: Annotated[int, doc("place in env, then envFrom, from 0")]
    variable: Annotated[str, doc("name of the variable; for envFrom the prefix and *")]
    source: Annotated[str, doc("literal, secret, configMap, field, resource, file or none")]
    whole: Annotated[bool, doc("of envFrom: every key of the object")]
    reference: Annotated[str | None, doc("name of the Secret or ConfigMap")]
    verdict: Annotated[str, doc("kind of credential that a literal looks like; empty: none")]
    of_secret: Annotated[bool, doc("its value comes out of a Secret")]
    literal: Annotated[bool, doc("its value is written in the manifest")]
    suspect: Annotated[bool, doc("a literal that looks like a credential")]


class ProbeHostRow(OfPod, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    probe: Annotated[str, doc("liveness, readiness, startup, postStart or preStop")]
    handler: Annotated[str, doc("exec, httpGet, tcpSocket, grpc or none")]
    host: Annotated[str, doc("host that the kubelet is sent to; empty: the pod itself")]
    elsewhere: Annotated[bool, doc("names a host")]
    command: Annotated[list[str], doc("command of exec, credentials masked")]


class TokenRow(OfPod, kw_only=True):
    volume: Annotated[str, doc("name of the projected volume")]
    position: Annotated[int, doc("place among its sources, from 0")]
    audience: Annotated[str | None, doc("audience; null: the API server")]
    expiration_seconds: Annotated[int, doc("expirationSeconds; 3600 where unset")]


ENVIRONMENT = Table(
    "environment",
    EnvironmentRow,
    grain="one environment variable or envFrom of a container, with its owner",
    key=(*CONTAINER_KEY, "position"),
    resource=OWNED_CONTAINER,
    pods=True,
)
PROBE_HOSTS = Table(
    "probe_hosts",
    ProbeHostRow,
    grain="one probe or lifecycle handler of a container, with its owner",
    key=(*CONTAINER_KEY, "probe"),
    resource=OWNED_CONTAINER,
    pods=True,
)
PROJECTED_TOKENS = Table(
    "projected_tokens",
    TokenRow,
    grain="one service-account token in a projected volume, with its owner",
    key=(*POD_KEY, "volume", "position"),
    resource=OWNER,
    pods=True,
)


@view(ENVIRONMENT)
def environment(env: pd.DataFrame, pod_context: pd.DataFrame) -> pd.DataFrame:
    """Name the owner of each variable, and what its source means."""
    names = ENVIRONMENT.names
    found: dict[str, Any] = {name: env[name] for name in names if name in env.columns}
    literal = text_is(env["source"], "literal")
    found |= owned(env, pod_context) | {
        "of_secret": text_is(env["source"], "secret"),
        "literal": literal,
        "suspect": literal & (env["verdict"] != ""),
    }
    return assembled(env, found, names)


@view(PROBE_HOSTS)
def probe_hosts(probes: pd.DataFrame, pod_context: pd.DataFrame) -> pd.DataFrame:
    """Name the owner of each probe, and the host that it is sent to."""
    names = PROBE_HOSTS.names
    found: dict[str, Any] = {name: probes[name] for name in names if name in probes.columns}
    host = probes["host"].fillna("")
    found |= owned(probes, pod_context) | {"host": host, "elsewhere": host != ""}
    return assembled(probes, found, names)


@view(PROJECTED_TOKENS)
def projected_tokens(projections: pd.DataFrame, pod_context: pd.DataFrame) -> pd.DataFrame:
    """Name the owner of each projected token."""
    chosen = projections[text_is(projections["source"], "serviceAccountToken").to_numpy(dtype=bool)]
    chosen = chosen.reset_index(drop=True)
    names = PROJECTED_TOKENS.names
    found: dict[str, Any] = {name: chosen[name] for name in names if name in chosen.columns}
    lasts = chosen["expiration_seconds"].fillna(3600)
    found |= owned(chosen, pod_context) | {"expiration_seconds": lasts}
    return assembled(chosen, found, names)
