"""Mutations of policy engines that change what was reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-056",
    layer="deploy",
    severity="medium",
    applies="mutates",
    null="how it changes objects is not told",
    expected="settings that are there left as they are: +( ) around each",
    shows=("rule", "ways"),
)
def mutation_overwrites(kyverno_rules: pd.DataFrame) -> pd.Series[Any]:
    """Mutations add what is missing, and leave what was reviewed.

    A merge without +( ) overwrites: a seccomp profile of one's own becomes the default one,
    and a workload that must run as root stops. Who reviews the manifest sees none of it.

    Remedy:
        Put the anchor around each field.

        patchStrategicMerge:
          spec:
            securityContext:
              +(runAsNonRoot): true

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-of-the-guide}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          mutate: {patchStrategicMerge: {spec: {securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-anchored}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          mutate: {patchStrategicMerge: {spec: {securityContext: {+(runAsNonRoot): true}}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-validates}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {hostPID: "false"}}}}]}}
    """
    return kyverno_rules["overwrites"]


@control(
    "KA-DEP-056a",
    layer="deploy",
    severity="low",
    expected="a path test MustNotExist",
    shows=("location", "kinds", "path_tests"),
)
def assignment_overwrites(gatekeeper_mutations: pd.DataFrame) -> pd.Series[Any]:
    """Assignments of Gatekeeper leave what is set.

    Without a path test an Assign overwrites whatever the manifest says.

    Remedy:
        Assign where nothing is.

        parameters: {pathTests: [{subPath: spec.securityContext.runAsNonRoot, condition: MustNotExist}]}

    Cases:
        {apiVersion: mutations.gatekeeper.sh/v1, kind: Assign, metadata: {name: bad-plain}, spec: {location: spec.hostNetwork, parameters: {assign: {value: false}}}}
        ---
        {apiVersion: mutations.gatekeeper.sh/v1, kind: Assign, metadata: {name: ok-tested}, spec: {location: spec.hostNetwork, parameters: {assign: {value: false}, pathTests: [{subPath: spec.hostNetwork, condition: MustNotExist}]}}}
        ---
        {apiVersion: mutations.gatekeeper.sh/v1, kind: AssignMetadata, metadata: {name: ok-labels}, spec: {location: metadata.labels.owner, parameters: {assign: {value: a}}}}
    """
    m = gatekeeper_mutations
    tested = over_lists(m["path_tests"], lambda t: any("MustNotExist" in text for text in t))
    return text_is(m["kind"], "Assign") & m["assigns"] & ~tested
