"""Controllers, with the defaults of Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class WorkloadSettingsRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Deployment, StatefulSet, CronJob, …")]
    namespace: Annotated[str, doc("namespace")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid of the controller")]
    replicas: Annotated[int, doc("spec.replicas; 1 where unset")]
    strategy: Annotated[str, doc("strategy or updateStrategy type; RollingUpdate where unset")]
    scalable: Annotated[bool, doc("nothing controls it, and it keeps a number of pods above 0")]
    rolls: Annotated[bool, doc("nothing controls it, and it can be updated while it runs")]


WORKLOAD_SETTINGS = Table(
    "workload_settings",
    WorkloadSettingsRow,
    grain="one controller of pods, with defaults applied",
    key=("namespace", "kind", "name", "uid"),
    resource=Resource("kind"),
)

_SCALED = (
    *("Deployment", "StatefulSet", "DeploymentConfig", "ReplicaSet", "ReplicationController"),
    "Rollout",
)
_ROLLED = ("Deployment", "StatefulSet", "DaemonSet", "DeploymentConfig")


@view(WORKLOAD_SETTINGS)
def workload_settings(workloads: pd.DataFrame) -> pd.DataFrame:
    """Apply the defaults of replicas and strategy (Kubernetes API reference, apps v1, v1.34)."""
    w = workloads
    top = ~w["owned"]
    replicas = w["replicas"].fillna(1)
    copied = ("raw", "raw_line", "kind", "namespace", "name", "uid")
    found: dict[str, Any] = {name: w[name] for name in copied}
    found |= {
        "replicas": replicas,
        "strategy": w["strategy"].fillna("RollingUpdate"),
        "scalable": top & text_is(w["kind"], *_SCALED) & (replicas > 0),
        "rolls": top & text_is(w["kind"], *_ROLLED),
    }
    return assembled(w, found, WORKLOAD_SETTINGS.names)
