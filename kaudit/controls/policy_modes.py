"""Admission policies that deny nothing, do not see everything, or do not work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import arrow, over_lists, series
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-DEP-045",
    layer="deploy",
    severity="high",
    applies="of_kyverno",
    expected="failureAction Enforce, Deny of a policy of CEL, in every namespace",
    shows=("rule", "mode", "mode_text", "weaker", "controls"),
)
def kyverno_only_audits(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    """Rules of Kyverno deny what they find.

    Audit is the default, and what the samples ship with: a report is written, the object is
    admitted. Overrides weaken a rule for some namespaces, a rule's own action beats its policy's.

    Remedy:
        Read the reports, repair or except what they name, then enforce.

        validate:
          failureAction: Enforce

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-unset}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {hostPID: "false"}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-old-spelling}, spec: {validationFailureAction: audit, rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {hostPID: "false"}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-rule-beats-policy}, spec: {validationFailureAction: Enforce, rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Audit, pattern: {spec: {hostPID: "false"}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-override}, spec: {validationFailureAction: Enforce, validationFailureActionOverrides: [{action: Audit, namespaces: [shop]}], rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {hostPID: "false"}}}}]}}
        ---
        {apiVersion: policies.kyverno.io/v1, kind: ValidatingPolicy, metadata: {name: bad-cel}, spec: {validationActions: [Audit, Warn], validations: [{expression: "true"}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-enforce}, spec: {validationFailureAction: enforce, rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {hostPID: "false"}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-changes}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, mutate: {patchStrategicMerge: {spec: {+(hostUsers): false}}}}]}}
    """
    return (policy_blind_spots["mode"] != "enforce") | over_lists(
        policy_blind_spots["weaker"], bool
    )


@control(
    "KA-DEP-046",
    layer="deploy",
    severity="high",
    applies="of_gatekeeper",
    expected="enforcementAction deny, at the webhook too where it is scoped",
    shows=("mode", "mode_text", "controls"),
)
def constraint_does_not_deny(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    """Constraints of Gatekeeper deny what they find.

    dryrun and warn admit. A scoped action denies at the enforcement points that it names
    alone: one for the audit leaves admission open.

    Remedy:
        Take enforcementAction out, or set it to deny.

        spec:
          enforcementAction: deny

    Cases:
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: bad-dryrun}, spec: {enforcementAction: dryrun}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: bad-warn}, spec: {enforcementAction: warn}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: bad-audit-point}, spec: {enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: ok-unset}, spec: {}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sA, metadata: {name: ok-webhook}, spec: {enforcementAction: scoped, scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: validation.gatekeeper.sh}]}]}}
    """
    return policy_blind_spots["mode"] != "enforce"


_NOT_READ = "which containers its code looks at could not be read"


@control(
    "KA-DEP-048",
    layer="deploy",
    severity="high",
    applies="of_containers",
    null=_NOT_READ,
    expected="initContainers looked at",
    shows=("rule", "engine", "controls"),
)
def ignores_init_containers(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    r"""Policies on containers look at init containers.

    An init container runs with the same rights on the same node, and a native sidecar is one
    that never ends: whoever knows the hole puts the privileged container there.

    Remedy:
        Repeat the rule for initContainers; mark it optional, since most pods have none.

        pattern:
          spec:
            =(initContainers):
              - image: "registry.example.com/*"

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-regular-only}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {containers: [{image: "registry.example.com/*"}]}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-all}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {"=(ephemeralContainers)": [{image: "registry.example.com/*"}], "=(initContainers)": [{image: "registry.example.com/*"}], containers: [{image: "registry.example.com/*"}]}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-of-pods}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {metadata: {labels: {team: "?*"}}}}}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-cel}, spec: {matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]},
          validations: [{expression: "object.spec.containers.all(c, c.image.contains('@sha256:'))"}]}}
        ---
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: k8srequirenonroot}, spec: {crd: {spec: {names: {kind: K8sRequireNonRoot}}}, targets: [{target: admission.k8s.gatekeeper.sh,
          rego: "package k8srequirenonroot\n\nviolation[{\"msg\": msg}] {\n  container := input.review.object.spec.containers[_]\n  not container.securityContext.runAsNonRoot\n  msg := \"no\"\n}\n"}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sRequireNonRoot, metadata: {name: bad-of-the-guide}, spec: {match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}}}
    """
    return policy_blind_spots["ignores_init"]


@control(
    "KA-DEP-049",
    layer="deploy",
    severity="high",
    applies="of_ephemeral",
    null=_NOT_READ,
    expected="ephemeralContainers looked at",
    shows=("rule", "engine", "controls"),
)
def ignores_ephemeral_containers(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    """Policies on containers look at ephemeral containers.

    kubectl debug adds one to a running pod, with any image and any rights that no policy
    refuses. Limits, ports and probes are left out: such containers cannot have them.

    Remedy:
        Repeat the rule for ephemeralContainers, and let the engine be asked about
        pods/ephemeralcontainers.

        pattern:
          spec:
            =(ephemeralContainers):
              - image: "registry.example.com/*"

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-no-ephemeral}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {"=(initContainers)": [{image: "registry.example.com/*"}], containers: [{image: "registry.example.com/*"}]}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-limits}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {containers: [{resources: {limits: {memory: "?*"}}}]}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-all}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {"=(ephemeralContainers)": [{image: "registry.example.com/*"}], "=(initContainers)": [{image: "registry.example.com/*"}], containers: [{image: "registry.example.com/*"}]}}}}]}}
    """
    return policy_blind_spots["ignores_ephemeral"]


@control(
    "KA-DEP-042a",
    layer="deploy",
    severity="medium",
    applies="judges",
    expected="for pods, whoever makes them",
    shows=("rule", "engine", "controls"),
)
def controllers_only(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    """Policies on workloads are for pods, not for controllers alone.

    A bare pod, and the pod of an operator's own kind, have no Deployment to be refused.

    Remedy:
        Match Pod; Kyverno adds the controllers by itself.

        match:
          any:
            - resources: {kinds: [Pod]}

    Cases:
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-deployments}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Deployment]}}]},
          validate: {failureAction: Enforce, pattern: {spec: {template: {spec: {hostPID: "false"}}}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-pods}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {failureAction: Enforce, pattern: {spec: {hostPID: "false"}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-namespaces}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Namespace]}}]},
          validate: {failureAction: Enforce, pattern: {metadata: {labels: {team: "?*"}}}}}]}}
    """
    return policy_blind_spots["controllers_only"]


@control(
    "KA-DEP-051",
    layer="deploy",
    severity="medium",
    applies="judges",
    weak=("policy_exceptions", "webhooks", "gatekeeper_exclusions"),
    expected="served, without errors",
    shows=("rule", "engine", "faults"),
)
def policy_in_error(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    """Every policy is served, and without errors.

    A constraint whose template does not compile or is not there, a policy that is not ready,
    an expression that does not fit its types: each looks like a rule, and refuses nothing.

    Remedy:
        Read the status of the policy or of its template, and repair it.

        kubectl get constrainttemplate <name> -o jsonpath='{.status.byPod[*].errors}'

    Cases:
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: k8sbroken}, spec: {crd: {spec: {names: {kind: K8sBroken}}}, targets: [{target: admission.k8s.gatekeeper.sh, rego: "package k8sbroken"}]},
          status: {created: false, byPod: [{id: a, errors: [{code: ingest_error, message: rego_parse_error}]}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sBroken, metadata: {name: bad-template}, spec: {}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sGone, metadata: {name: bad-no-template}, spec: {}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-not-ready}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {hostPID: "false"}}}}]}, status: {conditions: [{type: Ready, status: "False"}]}}
        ---
        {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: bad-types}, spec: {validations: [{expression: "object.replicas > 1"}]}, status: {typeChecking: {expressionWarnings: [{fieldRef: "spec.validations[0].expression", warning: "undefined field"}]}}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-ready}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {pattern: {spec: {hostPID: "false"}}}}]}, status: {conditions: [{type: Ready, status: "True"}]}}
    """
    return over_lists(policy_blind_spots["faults"], bool)


@control(
    "KA-DEP-051b",
    layer="deploy",
    severity="low",
    applies="of_gatekeeper",
    expected="every declared parameter read",
    shows=("unused_parameters",),
)
def unused_parameters(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    r"""The code of a template reads the parameters that it declares.

    Whoever sets a limit that nothing reads believes that it holds.

    Remedy:
        Read the parameter in the rule, or take it out of the schema.

        input.parameters.maxMemory

    Cases:
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: k8slimits}, spec: {crd: {spec: {names: {kind: K8sLimits}, validation: {openAPIV3Schema: {properties: {maxCpu: {type: string}}}}}}, targets: [{target: admission.k8s.gatekeeper.sh,
          rego: "package k8slimits\n\nviolation[{\"msg\": msg}] {\n  c := input.review.object.spec.containers[_]\n  not c.resources.limits.cpu\n  msg := \"no\"\n}\n"}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sLimits, metadata: {name: bad-limit}, spec: {parameters: {maxCpu: "1"}}}
        ---
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: k8splain}, spec: {crd: {spec: {names: {kind: K8sPlain}}}, targets: [{target: admission.k8s.gatekeeper.sh,
          rego: "package k8splain\n\nviolation[{\"msg\": msg}] {\n  input.review.object.spec.hostPID\n  msg := \"no\"\n}\n"}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sPlain, metadata: {name: ok-none}, spec: {}}
    """
    return over_lists(policy_blind_spots["unused_parameters"], bool)


@control(
    "KA-DEP-051c",
    layer="deploy",
    severity="medium",
    applies="of_containers",
    null=_NOT_READ,
    expected="spec.securityContext looked at too",
    shows=("rule", "engine", "own_only", "controls"),
)
def ignores_what_pods_set(policy_blind_spots: pd.DataFrame) -> pd.Series[Any]:
    r"""Policies judge what holds for a container, also where its pod sets it.

    runAsNonRoot and its like may stand in the pod, for all containers that have none of their
    own. A rule that reads containers alone refuses pods that are safe, and lets in those whose
    pod runs as user 0.

    Remedy:
        Look at the pod first, then at what a container overrides.

        pattern:
          spec:
            =(securityContext):
              =(runAsUser): ">0"
            containers:
              - =(securityContext):
                  =(runAsUser): ">0"

    Cases:
        {apiVersion: templates.gatekeeper.sh/v1, kind: ConstraintTemplate, metadata: {name: k8sroot}, spec: {crd: {spec: {names: {kind: K8sRoot}}}, targets: [{target: admission.k8s.gatekeeper.sh,
          rego: "package k8sroot\n\nviolation[{\"msg\": msg}] {\n  c := input.review.object.spec.containers[_]\n  c.securityContext.runAsUser == 0\n  msg := \"no\"\n}\n"}]}}
        ---
        {apiVersion: constraints.gatekeeper.sh/v1beta1, kind: K8sRoot, metadata: {name: bad-containers-only}, spec: {match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: bad-pattern}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {containers: [{securityContext: {runAsNonRoot: true}}]}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-both}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {"=(securityContext)": {"=(runAsUser)": ">0"}, containers: [{"=(securityContext)": {"=(runAsUser)": ">0"}}]}}}}]}}
        ---
        {apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: ok-of-containers}, spec: {rules: [{name: r, match: {any: [{resources: {kinds: [Pod]}}]},
          validate: {pattern: {spec: {containers: [{securityContext: {privileged: "false"}}]}}}}]}}
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    own = arrow(policy_blind_spots["own_only"])
    told = pc.greater(pc.list_value_length(own), 0)
    return series(
        pc.if_else(pc.is_null(own), pa.scalar(None, pa.bool_()), told), policy_blind_spots
    )
