"""What holds for a pod as a whole: its owner, its identity, its shared namespaces.

Precedence and defaults follow the Kubernetes API: a pod's automountServiceAccountToken
beats its ServiceAccount's, unset means true; an unset service account is ``default``
(kubernetes.io, "Configure Service Accounts for Pods", v1.34). Knative links no Services where
nothing is written (its ConfigMap config-defaults, v1.18). A static pod is the kubelet's
own: its owner is a Node, it stands for itself, and it has neither account nor token
("Create static Pods", v1.34).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from kaudit.columns import (
    SEPARATOR,
    alike,
    arrow,
    assembled,
    filled,
    first_set,
    flags,
    kept_labels,
    looked_up,
    matched,
    over_texts,
    pairs,
    positions,
    series,
    text_is,
)
from kaudit.model import platform
from kaudit.model.homonyms import KNATIVE
from kaudit.model.meta import LabelSelector
from kaudit.model.pod import ApartFrom
from kaudit.registry import view
from kaudit.remembered import remembered
from kaudit.selectors import keys_of, selector
from kaudit.table import Table, doc
from kaudit.tables.owned import OWNER, POD_KEY, OfPod

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class PodContextRow(OfPod, kw_only=True):
    mirror: Annotated[bool, doc("mirror of a static pod")]
    static: Annotated[bool, doc("a static pod: a mirror, or owned by a Node")]
    expected_static: Annotated[bool, doc("a static pod of the control plane, by place and name")]
    component: Annotated[bool, doc("labelled as a part of the platform, or expected_static")]
    placed: Annotated[bool, doc("its template names a node, past the scheduler")]
    linux: Annotated[bool, doc("not declared to be a Windows pod")]
    unowned: Annotated[bool, doc("a Pod object without controller, not static")]
    labels: Annotated[list[str], doc("labels of the pod as sorted key=value")]
    phase: Annotated[str | None, doc("status.phase")]
    node: Annotated[str | None, doc("spec.nodeName")]
    created_at: Annotated[datetime | None, doc("creation time")]
    service_account: Annotated[str, doc("effective account; default where unset, '' if static")]
    service_account_known: Annotated[bool, doc("the ServiceAccount object is in the evidence")]
    default_service_account: Annotated[bool, doc("runs as the account named default")]
    token_mounted: Annotated[bool, doc("a service-account token is mounted automatically")]
    token_setting: Annotated[str, doc("where the token setting comes from")]
    host_network: Annotated[bool, doc("shares the network of its node")]
    host_pid: Annotated[bool, doc("shares the processes of its node")]
    host_ipc: Annotated[bool, doc("shares the IPC of its node")]
    own_user_namespace: Annotated[bool, doc("hostUsers is false")]
    share_process_namespace: Annotated[bool, doc("its containers share processes")]
    sysctls: Annotated[list[str], doc("names of its sysctls, sorted")]
    supplemental_groups: Annotated[list[str], doc("supplementalGroups")]
    fs_group: Annotated[int | None, doc("fsGroup")]
    runtime_class: Annotated[str | None, doc("runtimeClassName")]
    priority_class: Annotated[str | None, doc("priorityClassName")]
    spread: Annotated[
        bool | None,
        doc("spread constraints or anti-affinity select it; null: if its namespace is selected"),
    ]
    replicated: Annotated[bool, doc("its owner asks for two or more replicas")]
    tolerations: Annotated[list[str], doc("key=value:effect; key is * for any")]
    image_pull_secrets: Annotated[list[str], doc("names of its image pull secrets")]
    pulls_as_named: Annotated[bool, doc("it or its service account names an image pull secret")]
    service_links: Annotated[bool, doc("enableServiceLinks is not false")]
    host_aliases: Annotated[list[str], doc("names of its hostAliases")]


POD_CONTEXT = Table(
    "pod_context",
    PodContextRow,
    grain="one pod or pod template, with its owner and effective settings",
    key=POD_KEY,
    resource=OWNER,
    pods=True,
    summed=True,
)


_COPIED = [
    "raw",
    "raw_line",
    "pod_uid",
    "namespace",
    "pod",
    "origin",
    "mirror",
    "labels",
    "phase",
    "node",
    "created_at",
    "sysctls",
    "supplemental_groups",
    "fs_group",
    "runtime_class",
    "priority_class",
    "tolerations",
    "image_pull_secrets",
    "host_aliases",
]


@view(POD_CONTEXT, naming=("workloads", "service_accounts"))
def pod_context(
    pods: pd.DataFrame, service_accounts: pd.DataFrame, workloads: pd.DataFrame
) -> pd.DataFrame:
    """Resolve owners, service accounts and defaults of pods."""
    import pyarrow.compute as pc

    template = text_is(pods["origin"], "template")
    static = ~template & (pods["mirror"] | text_is(pods["controller_kind"], "Node"))
    kind, name = _owners(pods, workloads, pods["controller_kind"].notna() & ~static)
    of_system = static & text_is(pods["namespace"], "kube-system")
    named = pc.if_else(arrow(of_system), pairs(pods["pod"], pods["node"]), None)
    expected = over_texts(series(named, pods), _of_control_plane)
    marked = kept_labels(pods["labels"], platform.COMPONENT_LABELS.__contains__)
    found: dict[str, Any] = {column: pods[column] for column in _COPIED}
    found |= {
        "owner_kind": kind,
        "owner_name": name,
        "platform": text_is(pods["namespace"], *platform.NAMESPACES),
        "static": static,
        "expected_static": expected,
        "component": expected | filled(series(marked, pods)),
        "placed": template & pods["node"].notna(),
        "linux": ~over_texts(pods["os"], lambda text: text == "windows"),
        "unowned": ~template & pods["controller_kind"].isna() & ~static,
        "host_network": flags(pods["host_network"]),
        "host_pid": flags(pods["host_pid"]),
        "host_ipc": flags(pods["host_ipc"]),
        "own_user_namespace": ~flags(pods["host_users"], unset=True),
        "share_process_namespace": flags(pods["share_process_namespace"]),
        "service_links": _service_links(pods),
        "replicated": _replicated(pods, kind, name, workloads),
        "spread": _spread(pods),
    }
    found |= _identity(pods, service_accounts, static)
    return assembled(pods, found, POD_CONTEXT.names)


def _of_control_plane(text: str) -> bool:
    """Judge a pod's and a node's name: static pods are named ``<manifest>-<node>``."""
    pod, _, node = text.rpartition(SEPARATOR)
    return pod.removesuffix(f"-{node}") in platform.STATIC_PODS


def _service_links(pods: pd.DataFrame) -> pd.Series[Any]:
    linked = flags(pods["enable_service_links"], unset=True)
    unset = pods["enable_service_links"].isna() & text_is(pods["kind"], *KNATIVE)
    return linked & ~unset


def _lengths(column: pd.Series[Any]) -> pd.Series[Any]:
    import pyarrow.compute as pc

    return series(pc.fill_null(pc.list_value_length(arrow(column)), 0), column)


def _spread(pods: pd.DataFrame) -> pd.Series[Any]:
    """Tell which pods one of their own selectors selects: others leave replicas where they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    selectors, terms = arrow(pods["kept_apart"]), arrow(pods["kept_apart_in"])
    distinct = selectors.flatten().unique().to_pylist()
    far = {text: _term(text) for text in terms.flatten().unique().to_pylist()}
    distinct += [own for own, _, _ in far.values()]
    keys = {key for text in distinct for key in keys_of(text)}
    known = kept_labels(pods["labels"], keys.__contains__)
    place = pc.if_else(pc.greater(pc.list_value_length(terms), 0), arrow(pods["namespace"]), "")
    numbers, first = alike(pods["kept_apart"], pods["kept_apart_in"], known, place)
    found: list[bool | None] = []
    for own, texts, labels, namespace in zip(
        *(column.take(pa.array(first)).to_pylist() for column in (selectors, terms, known, place)),
        strict=True,
    ):
        of_pod = dict(label.split("=", 1) for label in labels)
        near = any(selector(text)(of_pod) for text in own or ())
        told = {_covers(*far[text], of_pod, namespace) for text in texts or ()}
        found.append(near or True in told or (None if None in told else False))
    return series(pa.array(found, pa.bool_()).take(pa.array(numbers)), pods)


_term_of = msgspec.json.Decoder(ApartFrom).decode


def _term(text: str) -> tuple[str, frozenset[str], str | None]:
    """Selector of pods, namespaces and selector of namespaces of a term."""
    term = _term_of(text)
    own = LabelSelector.text(term.label_selector) or "{}"
    return own, frozenset(term.namespaces or ()), LabelSelector.text(term.namespace_selector)


def _covers(
    own: str,
    namespaces: frozenset[str],
    of_namespaces: str | None,
    labels: dict[str, str],
    namespace: str,
) -> bool | None:
    """Tell whether a term is about a pod; None where labels of its namespace decide."""
    if not selector(own)(labels):
        return False
    if namespace in namespaces:
        return True
    if of_namespaces is None:
        return False
    if not keys_of(of_namespaces) <= {_NAME}:
        return None
    return selector(of_namespaces)({_NAME: namespace})


#: Label that Kubernetes gives each namespace.
_NAME = "kubernetes.io/metadata.name"


def _replicated(
    pods: pd.DataFrame, kind: pd.Series[Any], name: pd.Series[Any], workloads: pd.DataFrame
) -> pd.Series[Any]:
    named = (workloads[column] for column in ("namespace", "kind", "name"))
    at = matched((pods["namespace"], kind, name), (*named,))
    return flags(looked_up(workloads, at, "replicas", pods) > 1)


def _identity(pods: pd.DataFrame, accounts: pd.DataFrame, static: pd.Series[Any]) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    alone = static & pods["service_account"].isna()
    unnamed = series(pc.if_else(arrow(alone), "", "default"), pods)
    account = first_set(pods["service_account"], unnamed)
    at = matched((pods["namespace"], account), (accounts["namespace"], accounts["name"]))
    inherited = looked_up(accounts, at, "automount_token", pods)
    own = pods["automount_token"]
    setting = pc.if_else(arrow(inherited.notna()), "service account", "default of Kubernetes")
    setting = pc.if_else(arrow(own.notna()), "pod", setting)
    named_by_account = flags(_lengths(looked_up(accounts, at, "image_pull_secrets", pods)) > 0)
    return {
        "service_account": account,
        "service_account_known": series(pa.array(at >= 0), pods),
        "default_service_account": text_is(account, "default"),
        "token_mounted": flags(first_set(own, inherited), unset=True) & ~alone,
        "token_setting": series(pc.if_else(arrow(alone), "static pod", setting), pods),
        "pulls_as_named": (_lengths(pods["image_pull_secrets"]) > 0) | named_by_account,
    }


def _owners(
    pods: pd.DataFrame, workloads: pd.DataFrame, owned: pd.Series[Any]
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Kind and name of the topmost known owner; what has none stands for itself."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds, names = _topmost(workloads)
    has = arrow(owned)
    kind = pc.if_else(has, arrow(pods["controller_kind"]), arrow(pods["kind"]))
    name = pc.if_else(has, arrow(pods["controller_name"]), arrow(pods["pod"]))
    taken = bool(workloads["template_name"].notna().any())
    own = arrow(pods["pod_uid"]) if taken else pa.scalar(None, pa.string())
    uid = pc.if_else(has, arrow(pods["controller_uid"]), own)
    found = positions(uid, workloads["uid"])
    at = pa.array(found, mask=found < 0)
    higher = pc.is_valid(kinds.take(at))
    kind = pc.if_else(higher, kinds.take(at), kind)
    name = pc.if_else(higher, names.take(at), name)
    return series(kind, pods), series(name, pods)


@remembered
def _topmost(workloads: pd.DataFrame) -> tuple[pa.Array, pa.Array]:
    """Kind and name of the topmost known owner of each workload; null where it has none."""
    import pyarrow.compute as pc

    workloads = _with_takers(workloads)
    uids, above = arrow(workloads["uid"]), arrow(workloads["controller_uid"])
    own = arrow(workloads["controller_kind"]), arrow(workloads["controller_name"])
    (kind, name), uid = own, above
    for _ in range(_HIGHEST):
        at = pc.index_in(uid, value_set=uids, skip_nulls=True)
        uid = above.take(at)
        higher = pc.is_valid(own[0].take(at))
        if not pc.any(higher).as_py():
            break
        kind = pc.if_else(higher, own[0].take(at), kind)
        name = pc.if_else(higher, own[1].take(at), name)
    return kind, name


#: Owners above the first that are looked for: Knative has four, and others may own its Services.
_HIGHEST = 5


def _with_takers(workloads: pd.DataFrame) -> pd.DataFrame:
    """Workloads, of which those whose template a Rollout takes are owned by it."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    takers = workloads[workloads["template_name"].notna().to_numpy(dtype=bool)]
    if takers.empty:
        return workloads
    wanted = [takers[name] for name in ("namespace", "template_kind", "template_name")]
    at = matched([workloads[name] for name in ("namespace", "kind", "name")], wanted)
    taken = pa.array(np.where(workloads["owned"].to_numpy(dtype=bool), -1, at))
    index = pc.if_else(pc.equal(taken, -1), None, taken)
    found = {}
    for name in ("kind", "name", "uid"):
        own = workloads[f"controller_{name}"]
        found[f"controller_{name}"] = series(
            pc.coalesce(arrow(own), arrow(takers[name]).take(index)), own
        )
    return workloads.assign(**found)
