"""Which configurations of kubelets are judged: what kubeadm declares only where nothing else tells.

kubeadm keeps a KubeletConfiguration in a ConfigMap for nodes that join. Patches, flags and what a
node was told since are not in it (kubernetes.io, "Configuring each kubelet in your cluster using
kubeadm", v1.34).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import assembled
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class KubeletSettingsRow(Trace, kw_only=True):
    kind: Annotated[str, doc("KubeletConfiguration, or ConfigMap where kubeadm declares it")]
    namespace: Annotated[str, doc("namespace of the ConfigMap; empty for a file")]
    file: Annotated[str, doc("file; name of the ConfigMap")]
    report: Annotated[str, doc("stands for the file in every table; empty for a ConfigMap")]
    declared: Annotated[bool, doc("what kubeadm tells nodes that join: no kubelet has told it")]
    effective: Annotated[bool, doc("told by configz: flags and defaults are in it")]
    open: Annotated[
        list[str], doc("settings that let in whoever is not known and allowed, as written")
    ]
    soft: Annotated[list[str], doc("settings that the CIS benchmark does not want so, as written")]
    judged: Annotated[bool, doc("told of a kubelet, or all that is known of any")]


KUBELET_SETTINGS = Table(
    "kubelet_settings",
    KubeletSettingsRow,
    grain="one configuration of a kubelet",
    key=("kind", "namespace", "file", "report"),
    resource=Resource("kind", name="file"),
)


@view(KUBELET_SETTINGS)
def kubelet_settings(kubelet_configs: pd.DataFrame) -> pd.DataFrame:
    """Set aside what is declared where kubelets have told."""
    k = kubelet_configs
    told = not k["declared"].all()
    copied = {name: k[name] for name in KUBELET_SETTINGS.names if name != "judged"}
    return assembled(k, {**copied, "judged": ~(k["declared"] & told)}, KUBELET_SETTINGS.names)
