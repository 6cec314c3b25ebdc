"""What sensors look for: rules of Falco, policies of Tetragon, techniques of ATT&CK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-RUN-003",
    layer="runtime",
    severity="high",
    null="no file in the evidence speaks of it: rules may come as an artifact",
    expected="loaded, and enabled",
    shows=("state", "why", "found", "seen"),
)
def required_rule_off(required_rules: pd.DataFrame) -> pd.Series[Any]:
    r"""Rules of Falco that a cluster should have are loaded and enabled.

    The rules are the guide's three, or what the project ships for the same, and those that the
    project calls stable. One undefined macro makes Falco refuse a whole file, so that a
    ConfigMap holds a rule and nothing detects.

    Remedy:
        Define what the rule names, or take away what switches it off.

        - macro: shell_allowed_parent_processes
          condition: (proc.pname in (cron, crond))

    Cases:
        # cluster: bad-undefined-macro
        {apiVersion: v1, kind: ConfigMap, metadata: {name: rules}, data: {custom.yaml: "- rule: Shell Spawned in Container\n  condition: spawned_process and not shell_allowed_parent_processes\n  priority: WARNING"}}
        ---
        # cluster: bad-disabled
        {apiVersion: v1, kind: ConfigMap, metadata: {name: rules}, data: {custom.yaml: "- rule: Terminal shell in container\n  enabled: false"}}
        ---
        # cluster: bad-never-true
        {apiVersion: v1, kind: ConfigMap, metadata: {name: rules}, data: {custom.yaml: "- rule: Run shell untrusted\n  condition: never_true\n  override: {condition: replace}"}}
        ---
        # cluster: bad-too-low
        {apiVersion: v1, kind: ConfigMap, metadata: {name: rules}, data: {
          falco.yaml: "rules_files: [/etc/falco/rules.d]\npriority: critical",
          custom.yaml: "- rule: Shell Spawned in Container\n  condition: spawned_process\n  priority: WARNING"}}
        ---
        # cluster: ok-loaded
        {apiVersion: v1, kind: ConfigMap, metadata: {name: rules}, data: {custom.yaml: "- rule: Shell Spawned in Container\n  condition: spawned_process and container\n  priority: WARNING"}}
        ---
        # cluster: ok-nothing-known
        {apiVersion: v1, kind: Pod, metadata: {name: falco}, spec: {containers: [{name: c, image: "falcosecurity/falco:0.42.0"}]}}
    """
    return ~required_rules["detects"]


@control(
    "KA-RUN-004",
    layer="runtime",
    severity="medium",
    null="no agent says whether it is loaded: the resource has no status",
    expected="taken by the API server, and loaded",
    shows=("faults", "states", "mode", "hooks", "events"),
)
def dead_tracing_policy(tracing_policy_health: pd.DataFrame) -> pd.Series[Any]:
    """Policies of Tetragon are valid, loaded, and stop what they say they stop.

    The API server drops fields that it does not know without a word, and refuses others: a
    policy with ``action: Audit`` outside of its selectors, or with a namespace of Kubernetes
    under ``matchNamespaces``, is not what its author meant. That a policy is there does not say
    that an agent has loaded it; ``tetra tracingpolicy list -o json`` does.

    Remedy:
        Put actions into selectors, and choose pods by podSelector or by TracingPolicyNamespaced.

        selectors: [{matchActions: [{action: Post}]}]

    Cases:
        {apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {name: bad-action-outside}, spec: {kprobes: [
          {call: security_file_open, syscall: false, action: Audit}]}}
        ---
        {apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {name: bad-namespace}, spec: {kprobes: [
          {call: tcp_connect, syscall: false, selectors: [{matchNamespaces: [{namespace: production, operator: In}]}]}]}}
        ---
        {apiVersion: cilium.io/v1alpha1, kind: TracingPolicyNamespaced, metadata: {name: bad-no-system-call, namespace: a}, spec: {kprobes: [
          {call: tcp_connect}]}}
        ---
        {apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {name: ok-loaded}, spec: {kprobes: [
          {call: security_file_open, syscall: false, selectors: [{matchActions: [{action: Sigkill}]}]}]}}
        ---
        {apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {name: bad-load-error}, spec: {kprobes: [
          {call: gone_function, syscall: false}]}}
        ---
        {apiVersion: cilium.io/v1alpha1, kind: TracingPolicy, metadata: {name: bad-only-monitors}, spec: {kprobes: [
          {call: sys_ptrace, selectors: [{matchActions: [{action: Override, argError: -1}]}]}]}}
        ---
        kaudit-file: tetra.json
        content: {policies: [
          {id: "1", name: ok-loaded, state: TP_STATE_ENABLED, mode: TP_MODE_ENFORCE},
          {id: "2", name: bad-load-error, state: TP_STATE_LOAD_ERROR, error: no such function},
          {id: "3", name: bad-only-monitors, state: TP_STATE_ENABLED, mode: TP_MODE_MONITOR}]}
    """
    return ~tracing_policy_health["works"]


@control(
    "KA-RUN-007",
    layer="runtime",
    severity="info",
    null="rules of Falco's own file would see it, and the evidence does not hold that file",
    expected="a rule that is loaded and names it",
    shows=("title", "verdict", "off", "controls"),
)
def technique_unseen(attack_coverage: pd.DataFrame) -> pd.Series[Any]:
    r"""Techniques of ATT&CK for Containers are seen by a rule that is loaded.

    Prevention fails now and then; what nothing would see stays unknown. Rules are matched by
    their tags, which are often wide: this is where to look, not a measure of detection.

    Remedy:
        Load a rule for it, or tag the one that sees it.

        tags: [container, T1613]

    Cases:
        # cluster: bad-most-are-unseen
        {apiVersion: v1, kind: ConfigMap, metadata: {name: rules}, data: {custom.yaml: "- rule: Shell\n  condition: spawned_process\n  priority: WARNING\n  tags: [T1059]"}}
        ---
        # cluster: ok-no-sensor-at-all
        {apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: nginx}]}}
    """
    return ~attack_coverage["detected"]
