"""What people did through the API server, by its audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-RUN-009",
    layer="runtime",
    severity="high",
    applies="interactive",
    null="the log does not say whether it was let through",
    expected="no hand in containers outside of break_glass_groups",
    shows=("what", "target", "first_at", "count", "code"),
)
def interactive_access(audit_actions: pd.DataFrame) -> pd.Series[Any]:
    """People enter containers only by the way that is meant for emergencies.

    exec, attach, port-forward, ephemeral containers, the node proxy and tokens of service
    accounts go past everything that was reviewed. A get on exec is a way in, too. Whose groups
    may do so is a decision (``break_glass_groups``); what was refused does not count.

    Remedy:
        Take the right away, and give it for a time where it is needed.

        kaudit assess production.kaudit -P break_glass_groups=oncall

    Cases:
        kaudit-file: audit.json
        content: {kind: EventList, apiVersion: audit.k8s.io/v1, items: [
          {auditID: "1", stage: ResponseComplete, verb: create, user: {username: bad-exec}, objectRef: {resource: pods, subresource: exec, namespace: a, name: p}, responseStatus: {code: 101}},
          {auditID: "2", stage: ResponseComplete, verb: get, user: {username: bad-websocket}, objectRef: {resource: pods, subresource: exec, namespace: a, name: p}, responseStatus: {code: 101}},
          {auditID: "3", stage: ResponseComplete, verb: create, user: {username: ok-refused}, objectRef: {resource: pods, subresource: exec, namespace: a, name: p}, responseStatus: {code: 403}},
          {auditID: "4", stage: ResponseComplete, verb: create, user: {username: "system:serviceaccount:argo:ok-controller"}, objectRef: {resource: serviceaccounts, subresource: token, namespace: a, name: p}, responseStatus: {code: 201}}]}
        ---
        # cluster: ok-break-glass
        # parameters: {break_glass_groups: [oncall]}
        {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a}, spec: {containers: [{name: c, image: nginx}]}}
        ---
        kaudit-file: audit.json
        content: {kind: EventList, apiVersion: audit.k8s.io/v1, items: [
          {auditID: "1", stage: ResponseComplete, verb: create, user: {username: ann, groups: [oncall]}, objectRef: {resource: pods, subresource: exec, namespace: a, name: p}, responseStatus: {code: 101}}]}
    """
    a = audit_actions
    return a["granted"] & a["person"] & ~a["accepted"]


@control(
    "KA-RUN-010",
    layer="runtime",
    severity="high",
    null="the log does not say whether it was let through",
    expected="no such change, or one that was asked for",
    shows=("suspicion", "what", "target", "first_at", "count", "code"),
)
def suspicious_change(audit_actions: pd.DataFrame) -> pd.Series[Any]:
    """Nobody changes rights and policies by the way.

    Bindings to powerful roles, impersonation, policies that are changed or removed by hand, a
    namespace that may suddenly run privileged pods, approved certificates, lists of all Secrets
    and jobs by hand are what an intruder does once in. What was refused does not count.

    Remedy:
        Ask who did it and why, and let changes come through a pipeline.

        kubectl delete clusterrolebinding <name>

    Cases:
        kaudit-file: audit.json
        content: {kind: EventList, apiVersion: audit.k8s.io/v1, items: [
          {auditID: "1", stage: ResponseComplete, verb: create, user: {username: bad-binds}, objectRef: {resource: clusterrolebindings, apiGroup: rbac.authorization.k8s.io, name: x}, requestObject: {roleRef: {kind: ClusterRole, name: cluster-admin}}, responseStatus: {code: 201}},
          {auditID: "2", stage: ResponseComplete, verb: delete, user: {username: bad-removes}, objectRef: {resource: validatingwebhookconfigurations, name: x}, responseStatus: {code: 200}},
          {auditID: "3", stage: ResponseComplete, verb: patch, user: {username: bad-loosens}, objectRef: {resource: namespaces, name: x}, requestObject: {metadata: {labels: {pod-security.kubernetes.io/enforce: privileged}}}, responseStatus: {code: 200}},
          {auditID: "4", stage: ResponseComplete, verb: get, user: {username: bad-acts-as}, impersonatedUser: {username: root}, objectRef: {resource: pods, namespace: x}, responseStatus: {code: 200}},
          {auditID: "5", stage: ResponseComplete, verb: create, user: {username: ok-refused}, objectRef: {resource: clusterrolebindings, name: x}, requestObject: {roleRef: {kind: ClusterRole, name: cluster-admin}}, responseStatus: {code: 403}},
          {auditID: "6", stage: ResponseComplete, verb: create, user: {username: ok-views}, objectRef: {resource: rolebindings, namespace: x, name: x}, requestObject: {roleRef: {kind: ClusterRole, name: view}}, responseStatus: {code: 201}},
          {auditID: "7", stage: ResponseComplete, verb: create, user: {username: ok-enters}, objectRef: {resource: pods, subresource: exec, namespace: x, name: x}, responseStatus: {code: 101}}]}
    """
    a = audit_actions
    return a["granted"] & (a["suspicion"] != "")
