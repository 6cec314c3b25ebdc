"""Containers of running pods beside the template that they come from.

After a pod is made only its images, its resources and its ephemeral containers can be
changed; before that, admission may change anything. Resources are not compared (they may be
resized in place), and an image that admission pinned by digest is still the same image. Where
pods of one owner carry different revision labels a rollout is going on, and nothing is said.
Pods of CronJobs are left out: each Job keeps the template that the CronJob had when it made it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import (
    arrow,
    assembled,
    flags,
    kept_labels,
    looked_up,
    over_lists,
    pairs,
    positions,
    series,
    text_is,
)
from kaudit.groups import Groups
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class TemplateDriftRow(Trace, kw_only=True):
    pod_uid: Annotated[str, doc("uid of its pod")]
    namespace: Annotated[str, doc("namespace of the pod")]
    pod: Annotated[str, doc("name of the pod")]
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar or regular")]
    owner_kind: Annotated[str, doc("kind of the topmost known owner")]
    owner_name: Annotated[str, doc("name of the topmost known owner")]
    image: Annotated[str, doc("image of the pod")]
    template_image: Annotated[str, doc("image of the template; empty where unknown")]
    comparable: Annotated[bool, doc("one template is known, and no rollout is going on")]
    added: Annotated[bool, doc("the template has no such container")]
    image_changed: Annotated[bool, doc("another image than the template's")]
    command_changed: Annotated[bool, doc("another command or other arguments")]
    account_changed: Annotated[bool, doc("another service account")]
    weakened: Annotated[list[str], doc("settings that confine less than the template's")]
    changed: Annotated[bool, doc("image, command or account differ, or a setting is weaker")]


TEMPLATE_DRIFT = Table(
    "template_drift",
    TemplateDriftRow,
    grain="one container of a running pod that a controller made",
    key=("namespace", "pod", "pod_uid", "container_type", "container"),
    resource=Resource("owner_kind", name="owner_name", container="container"),
    pods=True,
)

_COPIED = [
    "raw",
    "raw_line",
    "pod_uid",
    "namespace",
    "pod",
    "container",
    "container_type",
    "owner_kind",
    "owner_name",
    "image",
]
_OWNER = ("namespace", "owner_kind", "owner_name")
_REVISIONS = ("pod-template-hash", "controller-revision-hash")
#: Settings of security_context that weaken a container when they turn true, or false.
_TRUE_IS_WEAK = (
    "privileged",
    "allow_privilege_escalation",
    "user_zero",
    "host_network",
    "host_pid",
    "host_ipc",
    "windows_host_process",
)
_FALSE_IS_WEAK = (
    "run_as_non_root",
    "read_only_root_filesystem",
    "drops_all",
    "own_user_namespace",
)
#: What is read of the containers.
_READ = [
    *(*_COPIED, "origin", "bounded", "seccomp", "capabilities_add"),
    *(*_TRUE_IS_WEAK, *_FALSE_IS_WEAK),
]


@view(TEMPLATE_DRIFT)
def template_drift(
    security_context: pd.DataFrame, image_references: pd.DataFrame, pod_context: pd.DataFrame
) -> pd.DataFrame:
    """Compare the containers of pods with those of their owner's template."""
    import pyarrow as pa
    import pyarrow.compute as pc

    c = _with_pods(security_context, image_references, pod_context)
    template = text_is(c["origin"], "template").to_numpy(dtype=bool)
    scheduled = text_is(c["owner_kind"], "CronJob")
    managed = (~c["unowned"] & ~c["static"] & ~scheduled & c["bounded"]).to_numpy(dtype=bool)
    made = c[~template & managed].reset_index(drop=True)
    plan = c[template].reset_index(drop=True)
    at = positions(_key(made, "container"), _key(plan, "container"))

    def planned(column: str) -> pd.Series[Any]:
        return looked_up(plan, at, column, made)

    there = series(pa.array(at >= 0, pa.bool_()), made)
    comparable = flags(made["settled"])
    known = comparable & there
    differs = {
        "image_changed": known & _image_differs(made, planned),
        "command_changed": known & flags(made["words"] != planned("words")),
        "account_changed": known & flags(made["service_account"] != planned("service_account")),
    }
    weaker = {name: known & made[name] & ~flags(planned(name)) for name in _TRUE_IS_WEAK}
    weaker |= {name: known & ~made[name] & flags(planned(name)) for name in _FALSE_IS_WEAK}
    filtered = text_is(made["seccomp"], "RuntimeDefault", "Localhost")
    weaker["seccomp"] = (
        known & ~filtered & flags(text_is(planned("seccomp"), "RuntimeDefault", "Localhost"))
    )
    weaker["capabilities_add"] = known & _gains(made, planned)
    found: dict[str, Any] = {name: made[name] for name in _COPIED}
    lists = _names(weaker, made)
    found |= differs | {
        "template_image": series(pc.fill_null(arrow(planned("image")), ""), made),
        "comparable": comparable,
        "added": comparable & ~there,
        "weakened": lists,
        "changed": differs["image_changed"]
        | differs["command_changed"]
        | differs["account_changed"]
        | over_lists(lists, bool),
    }
    return assembled(made, found, TEMPLATE_DRIFT.names)


def _with_pods(containers: pd.DataFrame, images: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    """Containers with columns of their pod and of their image reference."""
    import pyarrow.compute as pc

    at = positions(containers["pod_uid"], pods["pod_uid"])
    pods = pods.assign(settled=_settled(pods))
    of_pod = {
        name: looked_up(pods, at, name, containers)
        for name in ("service_account", "unowned", "static", "settled")
    }
    # Images are of the containers, in their order, and of volumes after them.
    images = images.iloc[: len(containers)]
    named = {name: series(arrow(images[name]), containers) for name in ("tagged_name", "digest")}
    lists = [pc.binary_join(arrow(containers[name]), "\n") for name in ("command", "args")]
    words = pc.binary_join_element_wise(*lists, "\n\n")
    return containers[_READ].assign(**of_pod, **named, words=series(words, containers))


def _key(rows: pd.DataFrame, *more: str) -> Any:
    return pairs(*(rows[name] for name in (*_OWNER, *more)))


def _settled(pods: pd.DataFrame) -> pd.Series[Any]:
    """One template of the owner is known, and its living pods are of one revision."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    owners = Groups(*(pods[name] for name in _OWNER))
    template = text_is(pods["origin"], "template").to_numpy(dtype=bool)
    one = np.bincount(owners.of[template], minlength=len(owners)) == 1
    living = text_is(pods["origin"], "object") & ~text_is(pods["phase"], "Succeeded", "Failed")
    told = kept_labels(pods["labels"], _REVISIONS.__contains__)
    revision = arrow(over_lists(series(told, pods), _revision, pa.string()))
    mixed = owners.kinds(pc.if_else(arrow(living), revision, None)) > 1
    return series((one & ~mixed)[owners.of], pods)


def _revision(labels: list[str]) -> str:
    pairs_ = (text.partition("=") for text in labels)
    return next((value for key, _, value in pairs_ if key in _REVISIONS), "")


def _image_differs(made: pd.DataFrame, planned: Callable[[str], pd.Series[Any]]) -> pd.Series[Any]:
    """Another reference, unless only a digest was put behind the same name and tag."""
    pinned_on_the_way = (made["tagged_name"] == planned("tagged_name")) & (
        (planned("digest") == "") | (made["digest"] == planned("digest"))
    )
    other = flags(made["image"] != planned("image"))
    return other & ~flags(pinned_on_the_way)


def _gains(made: pd.DataFrame, planned: Callable[[str], pd.Series[Any]]) -> pd.Series[Any]:
    """The pod adds a capability that its template does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mine = pc.binary_join(arrow(made["capabilities_add"]), ",")
    theirs = pc.fill_null(pc.binary_join(arrow(planned("capabilities_add")), ","), "")
    both = pc.binary_join_element_wise(mine, theirs, ";").dictionary_encode()

    def gains(text: str) -> bool:
        more, _, less = text.partition(";")
        return not set(more.split(",")) <= {*less.split(","), ""}

    verdicts = pa.array([gains(text) for text in both.dictionary.to_pylist()], pa.bool_())
    return series(verdicts.take(both.indices), made)


def _names(weaker: dict[str, pd.Series[Any]], like: pd.DataFrame) -> pd.Series[Any]:
    """Names of the columns that are true, as a list a row."""
    import numpy as np
    import pyarrow as pa

    names = sorted(weaker)
    code = np.zeros(len(like), dtype=np.int64)
    for bit, name in enumerate(names):
        code |= weaker[name].to_numpy(dtype=bool).astype(np.int64) << bit
    seen, back = np.unique(code, return_inverse=True)
    texts = [[n for bit, n in enumerate(names) if value >> bit & 1] for value in seen.tolist()]
    return series(pa.array(texts, pa.list_(pa.string())).take(pa.array(back)), like)
