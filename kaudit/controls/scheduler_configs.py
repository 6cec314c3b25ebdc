"""Configurations of schedulers, where their flags do not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-085d",
    layer="deploy",
    severity="low",
    expected="enableProfiling: false",
    shows=("profiling",),
    null="the scheduler refuses the configuration",
    references={"cis-kubernetes": ("1.4.1",)},
)
def scheduler_profiles(scheduler_configs: pd.DataFrame) -> pd.Series[Any]:
    r"""Configurations of schedulers switch profiles off.

    Profiles tell about the inside of the program and cost it time. A scheduler with a
    configuration file does not heed --profiling, and unset means that they are offered.

    Remedy:
        Set it in the file, and start the scheduler again.

        enableProfiling: false

    Cases:
        {kaudit-file: bad-unset.yaml, content: {apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration}}
        ---
        {kaudit-file: bad-true.json, content: {apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration, enableProfiling: true}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: bad-held, namespace: batch}, data: {config.yaml: "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles: [{schedulerName: batch}]"}}
        ---
        {kaudit-file: ok-off.yaml, content: {apiVersion: kubescheduler.config.k8s.io/v1beta3, kind: KubeSchedulerConfiguration, enableProfiling: false}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: ok-held, namespace: batch}, data: {config.yaml: "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nenableProfiling: false"}}
    """
    c = scheduler_configs
    return where_known(c["profiling"], c["fault"] == "")
