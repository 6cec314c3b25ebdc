"""What sensors have seen, and whether their silence means anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("rule", "priority", "count", "first_at", "last_at", "command", "images", "techniques")


@control(
    "KA-RUN-006",
    layer="runtime",
    severity="high",
    null="its priority is not told, or is none of Falco's",
    expected="no alert of priority error or worse",
    shows=(*_SHOWN, "nodes", "unresolved"),
)
def severe_alert(event_episodes: pd.DataFrame) -> pd.Series[Any]:
    """No alert of priority error or worse is left open.

    Each is an episode: one rule on one workload with one command, however often. What was looked
    into and closed is accepted with a waiver, which has an owner and an end.

    Remedy:
        Isolate the pod, keep its evidence, and find how the command came to run.

        kubectl -n <namespace> label pod <pod> quarantine=true

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-mined, namespace: shop}, spec: {containers: [{name: c, image: nginx}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-noisy, namespace: shop}, spec: {containers: [{name: c, image: nginx}]}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Miner", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "bad-mined"}}'
          - '{"rule": "Noise", "priority": "Notice", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "ok-noisy"}}'
    """
    import pandas as pd

    falco = event_episodes["sensor"] == "falco"
    unknown = event_episodes["priority"].isna() & falco
    return event_episodes["severe"].mask(unknown, pd.NA)


@control(
    "KA-RUN-006a",
    layer="runtime",
    severity="medium",
    null="no log of a sensor is in the evidence, or not where its pods run",
    expected="ready sensors on all nodes of its pods, and their log at hand",
    shows=("uncovered", "logged", "alerts", "nodes"),
)
def quiet_unproven(namespace_alerts: pd.DataFrame) -> pd.Series[Any]:
    """That a namespace has no alerts is shown, not assumed.

    Silence is evidence only where every node that runs its pods has a ready sensor, and where
    that sensor's log was given.

    Remedy:
        Let sensors run on those nodes, and collect with their logs.

        kaudit collect context:production --falco falco.jsonl -o production.kaudit

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: ok-watched}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: bad-open}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: a}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: b}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ok-watched}, spec: {nodeName: a, containers: [{name: c, image: nginx}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: bad-open}, spec: {nodeName: b, containers: [{name: c, image: nginx}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: falco, namespace: falco}, spec: {nodeName: a, containers: [
          {name: c, image: "falcosecurity/falco:0.42.0"}]}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Noise", "priority": "Notice", "time": "2025-11-30T00:00:00Z", "hostname": "a", "output_fields": {}}'
    """
    return ~namespace_alerts["shown"]


@control(
    "KA-RUN-011",
    layer="runtime",
    severity="high",
    expected="only programs of the image",
    shows=(*_SHOWN, "processes"),
)
def foreign_program(event_episodes: pd.DataFrame) -> pd.Series[Any]:
    """Containers run programs of their image only.

    A program that was dropped, or that runs from memory, was not built, scanned or signed. Falco
    tells of it by rules such as "Drop and execute new binary in container"; installs at the
    start of a container and compiled caches look alike.

    Remedy:
        Make the root file system read-only, and build what is needed into the image.

        securityContext: {readOnlyRootFilesystem: true}

    Cases:
        {apiVersion: v1, kind: Pod, metadata: {name: bad-dropped, namespace: shop}, spec: {containers: [{name: c, image: nginx}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: ok-shell, namespace: shop}, spec: {containers: [{name: c, image: nginx}]}}
        ---
        kaudit-file: falco.jsonl
        lines:
          - '{"rule": "Drop and execute new binary in container", "priority": "Critical", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "bad-dropped"}}'
          - '{"rule": "Terminal shell in container", "priority": "Notice", "time": "2025-11-30T00:00:00Z", "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "ok-shell"}}'
    """
    return event_episodes["foreign"]
