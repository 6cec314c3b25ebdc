"""Admission webhooks: what guards the door must be asked, must answer, and must be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import over_lists, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-040",
    layer="deploy",
    severity="high",
    applies="guards",
    expected="failurePolicy Fail",
    shows=("webhook", "engine", "failure_policy", "timeout_seconds"),
)
def webhook_fails_open(webhook_posture: pd.DataFrame) -> pd.Series[Any]:
    """What guards admission does not let everything in when it fails.

    With failurePolicy Ignore a request is admitted when the webhook does not answer in time:
    whoever can overload or evict its pods switches it off. Gatekeeper's chart and others set
    Ignore by default. Fail asks for several replicas.

    Remedy:
        Let the installer set it, and run several replicas of the engine.

        webhooks:
          - name: validation.gatekeeper.sh
            failurePolicy: Fail

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-gatekeeper}, webhooks: [
          {name: validation.gatekeeper.sh, failurePolicy: Ignore, clientConfig: {service: {namespace: gatekeeper-system, name: gatekeeper-webhook-service}},
          rules: [{operations: [CREATE, UPDATE], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: bad-mesh}, webhooks: [
          {name: inject.istio.io, failurePolicy: Ignore, clientConfig: {service: {namespace: istio-system, name: istiod}},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-own-judge-of-pods}, webhooks: [
          {name: judge.example, failurePolicy: Ignore, clientConfig: {service: {namespace: ops, name: judge}},
          rules: [{operations: [CREATE], apiGroups: [apps], apiVersions: [v1], resources: [deployments]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-unset}, webhooks: [
          {name: validate.kyverno.svc-fail, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-asked-about-nothing}, webhooks: [
          {name: validate.kyverno.svc-ignore, failurePolicy: Ignore, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-no-guard}, webhooks: [
          {name: webhook.cert-manager.io, failurePolicy: Ignore, clientConfig: {service: {namespace: cert-manager, name: cert-manager-webhook}},
          rules: [{operations: [CREATE], apiGroups: [cert-manager.io], apiVersions: [v1], resources: [certificates]}]}]}
    """
    return text_is(webhook_posture["failure_policy"], "Ignore")


@control(
    "KA-DEP-040a",
    layer="deploy",
    severity="high",
    expected="failurePolicy Fail",
    shows=("failure_policy", "actions"),
)
def policy_fails_open(kyverno_policies: pd.DataFrame) -> pd.Series[Any]:
    """Policies of Kyverno do not let everything in when Kyverno fails.

    Kyverno registers two webhooks, and puts each policy behind the one that its own
    failurePolicy names: the webhook says little, the policy all.

    Remedy:
        Take failurePolicy out of the policy, or set it to Fail.

        spec:
          failurePolicy: Fail

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-ignore}, spec: {failurePolicy: Ignore, rules: [
          {name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {hostPID: "false"}}}}]}}
        ---
        {apiVersion: policies.kyverno.io/v1, kind: ValidatingPolicy, metadata: {name: bad-cel}, spec: {failurePolicy: Ignore, validationActions: [Deny]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-unset}, spec: {rules: [
          {name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, pattern: {spec: {hostPID: "false"}}}}]}}
    """
    return text_is(kyverno_policies["failure_policy"], "Ignore")


@control(
    "KA-DEP-041",
    layer="deploy",
    severity="high",
    applies="guards",
    expected="asked about every namespace but the platform's and its own",
    shows=("webhook", "engine", "left_out", "namespace_selector"),
)
def webhook_leaves_namespaces_out(webhook_posture: pd.DataFrame) -> pd.Series[Any]:
    """What guards admission is asked about every namespace of the users.

    Nothing that a namespaceSelector leaves out is ever sent. An opt-in label leaves out each
    new namespace, an opt-out label whoever may label namespaces, and a selector on the label
    name selects nothing: Kubernetes sets kubernetes.io/metadata.name alone.

    Remedy:
        Select by kubernetes.io/metadata.name, and leave out the platform alone.

        webhooks:
          - name: validate.kyverno.svc-fail
            namespaceSelector:
              matchExpressions:
                - {key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kyverno]}

    Cases:
        {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: kyverno}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-opt-in}, webhooks: [
          {name: policy.sigstore.dev, clientConfig: {service: {namespace: cosign-system, name: webhook}}, namespaceSelector: {matchLabels: {policy.sigstore.dev/include: "true"}},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-selects-by-a-label-that-nobody-sets}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, namespaceSelector: {matchLabels: {name: shop}},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-own-and-platform}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kyverno]}]},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-everything}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, namespaceSelector: {},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
    """
    return over_lists(webhook_posture["left_out"], bool)


@control(
    "KA-DEP-041a",
    layer="deploy",
    severity="medium",
    applies="guards",
    expected="no objectSelector",
    shows=("webhook", "engine", "object_selector"),
)
def objects_opt_out(webhook_posture: pd.DataFrame) -> pd.Series[Any]:
    """What guards admission does not let objects choose by their own labels.

    Whoever writes an object writes its labels: an objectSelector asks the one who is to be
    checked.

    Remedy:
        Remove it; leave out namespaces instead, whose labels are not the author's.

        webhooks:
          - name: validate.kyverno.svc-fail
            objectSelector: {}

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-label}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, objectSelector: {matchExpressions: [{key: skip, operator: DoesNotExist}]},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-empty}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, objectSelector: {},
          rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
    """
    return webhook_posture["chooses_objects"]


@control(
    "KA-DEP-042",
    layer="deploy",
    severity="medium",
    applies="guards_pods",
    expected="pods on CREATE and UPDATE, ephemeral containers and resize, in all versions",
    shows=("webhook", "engine", "holes", "match_policy"),
)
def webhook_scope_holes(webhook_posture: pd.DataFrame) -> pd.Series[Any]:
    """What guards pods is asked about every way to make and change them.

    Subresources are resources of their own: pods alone leaves out ephemeral containers, which
    kubectl debug adds to a running pod. Controllers alone leave out bare pods and those of
    operators. With matchPolicy Exact another served version of the API is not sent.

    Remedy:
        Name them all.

        rules:
          - {operations: [CREATE, UPDATE], apiGroups: [""], apiVersions: ["*"], resources: [pods, pods/ephemeralcontainers, pods/resize]}

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-no-subresource}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}},
          rules: [{operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-controllers-only}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}},
          rules: [{operations: ["*"], apiGroups: [apps], apiVersions: ["*"], resources: ["*/*"]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-exact}, webhooks: [
          {name: v.kyverno.svc, matchPolicy: Exact, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}},
          rules: [{operations: ["*"], apiGroups: ["*"], apiVersions: [v1], resources: ["*/*"]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-all-of-them}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}},
          rules: [{operations: [CREATE, UPDATE], apiGroups: [""], apiVersions: [v1], resources: [pods, pods/ephemeralcontainers]}]},
          {name: w.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}},
          rules: [{operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [pods/resize]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-of-namespaces}, webhooks: [
          {name: check-ignore-label.gatekeeper.sh, clientConfig: {service: {namespace: gatekeeper-system, name: gatekeeper-webhook-service}},
          rules: [{operations: [CREATE, UPDATE], apiGroups: [""], apiVersions: ["*"], resources: [namespaces]}]}]}
    """
    p = webhook_posture
    return over_lists(p["holes"], bool) | text_is(p["match_policy"], "Exact")


_NO_SLICES = "it is no Service of the cluster, or the evidence holds no EndpointSlice"


@control(
    "KA-DEP-043",
    layer="deploy",
    severity="high",
    applies="asked",
    weak=("endpoint_slices",),
    null=_NO_SLICES,
    expected="a ready endpoint behind it",
    shows=("webhook", "service", "endpoints", "failure_policy"),
)
def webhook_without_backend(webhook_posture: pd.DataFrame) -> pd.Series[Any]:
    """Somebody answers each admission webhook.

    Without a ready endpoint a webhook that fails open checks nothing, and one that fails
    closed stops every change that it is asked about.

    Remedy:
        Repair the Service or the pods behind it; remove what an uninstalled engine left.

        kubectl -n gatekeeper-system get endpointslices,pods

    Cases:
        {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: one, namespace: kyverno, labels: {kubernetes.io/service-name: kyverno-svc}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}]}
        ---
        {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: two, namespace: old, labels: {kubernetes.io/service-name: judge}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.2], conditions: {ready: false}}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-not-ready}, webhooks: [
          {name: v.example, clientConfig: {service: {namespace: old, name: judge}}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: bad-nothing-there}, webhooks: [
          {name: v.example, clientConfig: {service: {namespace: gone, name: judge}}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-there}, webhooks: [
          {name: v.example, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-elsewhere}, webhooks: [
          {name: v.example, clientConfig: {url: "https://judge.example/"}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
    """
    return webhook_posture["endpoints"] == 0


@control(
    "KA-DEP-043a",
    layer="deploy",
    severity="low",
    applies="guards",
    weak=("endpoint_slices",),
    hides=("endpoint_slices",),
    null=_NO_SLICES,
    expected="two or more ready endpoints",
    shows=("webhook", "service", "endpoints", "failure_policy"),
)
def webhook_of_one_endpoint(webhook_posture: pd.DataFrame) -> pd.Series[Any]:
    """What guards admission runs more than once.

    With one endpoint a drained node is an outage of the guard: it lets everything in, or
    stops every deployment. The answer is a second replica, never failurePolicy Ignore.

    Remedy:
        Run several replicas, spread over nodes, with a PodDisruptionBudget.

        spec:
          replicas: 3

    Cases:
        {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: one, namespace: kyverno, labels: {kubernetes.io/service-name: kyverno-svc}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}]}
        ---
        {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: two, namespace: gatekeeper-system, labels: {kubernetes.io/service-name: gatekeeper}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.2]}, {addresses: [10.0.0.3]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-one}, webhooks: [
          {name: v.example, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-two}, webhooks: [
          {name: v.example, clientConfig: {service: {namespace: gatekeeper-system, name: gatekeeper}}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}]}
    """
    return webhook_posture["endpoints"] == 1


@control(
    "KA-DEP-044",
    layer="deploy",
    severity="medium",
    applies="asked",
    expected="of a known engine, or asked about few things and answered inside the cluster",
    shows=("webhook", "broad", "rules", "service", "url"),
)
def untrusted_webhook(webhook_posture: pd.DataFrame) -> pd.Series[Any]:
    """No webhook that nobody knows sees Secrets, connections or everything.

    A webhook is sent whole objects, and a mutating one may change them: it is a good place to
    read Secrets from and to stay. Known engines are told by their Service; the others are
    ranked by what they see and where it is sent.

    Remedy:
        Find out who installed it; narrow its rules, or remove it.

        kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations

    Cases:
        {apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: bad-secrets}, webhooks: [
          {name: m.example, clientConfig: {service: {namespace: shop, name: helper}}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [secrets]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-everything}, webhooks: [
          {name: v.example, clientConfig: {service: {namespace: shop, name: helper}}, rules: [{operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-exec}, webhooks: [
          {name: v.example, clientConfig: {service: {namespace: shop, name: helper}}, rules: [{operations: [CONNECT], apiGroups: [""], apiVersions: ["*"], resources: [pods/exec]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: bad-outside}, webhooks: [
          {name: v.example, clientConfig: {url: "https://collector.example/x"}, rules: [{operations: [CREATE], apiGroups: [apps], apiVersions: ["*"], resources: [deployments]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-engine}, webhooks: [
          {name: v.kyverno.svc, clientConfig: {service: {namespace: kyverno, name: kyverno-svc}}, rules: [{operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"]}]}]}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: ok-narrow}, webhooks: [
          {name: v.example, clientConfig: {url: "https://127.0.0.1:23443/x"}, rules: [{operations: [CREATE], apiGroups: [""], apiVersions: ["*"], resources: [pods]}]}]}
    """
    return over_lists(webhook_posture["broad"], bool)
