"""Tables of Kyverno's policies, their rules and exceptions, of both of its API groups."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from kaudit.model.meta import CHANGED
from kaudit.model.reads import COMPARES, SAFE, UNSAFE
from kaudit.table import Resource, Table, Trace, doc


class KyvernoPolicyRow(Trace, kw_only=True):
    group: Annotated[str, doc("kyverno.io or policies.kyverno.io")]
    kind: Annotated[str, doc("kind of the policy")]
    namespace: Annotated[str, doc("namespace; empty for cluster scope")]
    name: Annotated[str, doc("name")]
    actions: Annotated[
        list[str], doc("Audit, Enforce, Deny or Warn as the policy says; empty: not said")
    ]
    overrides: Annotated[list[str], doc("other actions for some namespaces, as action in where")]
    failure_policy: Annotated[str, doc("Fail or Ignore; Fail where unset")]
    background: Annotated[bool, doc("it is also checked on what exists; true where unset")]
    admission: Annotated[bool, doc("it is asked on admission; true where unset")]
    autogen: Annotated[
        str | None, doc("controllers that rules for Pods are extended to; null: not said")
    ] = None
    conditions: Annotated[
        bool, doc("its webhook has match conditions, or one rule may keep others from applying")
    ] = False
    warns: Annotated[bool, doc("it warns where it only audits: emitWarning")] = False
    rules: Annotated[int, doc("how many rules or validations it has")]
    ready: Annotated[bool | None, doc("Kyverno serves it; null: it does not say")] = None
    created_at: Annotated[datetime | None, doc("creation time")] = None
    changed_at: Annotated[datetime | None, doc(CHANGED)] = None


class KyvernoRuleRow(Trace, kw_only=True):
    group: Annotated[str, doc("kyverno.io or policies.kyverno.io")]
    kind: Annotated[str, doc("kind of the policy")]
    namespace: Annotated[str, doc("namespace of the policy; empty for cluster scope")]
    policy: Annotated[str, doc("name of the policy")]
    position: Annotated[int, doc("place in the policy, from 1")]
    rule: Annotated[str, doc("name of the rule; empty for a policy that has no rules")]
    type: Annotated[str, doc("validate, mutate, generate, verifyImages, delete; empty: none")]
    mutates: Annotated[bool, doc("its type is mutate")]
    verifies: Annotated[bool, doc("its type is verifyImages")]
    ways: Annotated[
        list[str], doc("how: pattern, anyPattern, deny, podSecurity, cel, foreach, clone and such")
    ]
    action: Annotated[
        str | None, doc("what it does on failure, of itself or its policy; null: does not judge")
    ] = None
    overrides: Annotated[list[str], doc("other actions for some namespaces, as action in where")]
    override_terms: Annotated[list[str], doc("the same as JSON, the first that holds counts")]
    kinds: Annotated[
        list[str], doc("kinds that it matches; operations groups/versions/resources of CEL")
    ]
    namespaces: Annotated[list[str], doc("namespaces that it names; empty: all")]
    excluded_kinds: Annotated[list[str], doc("kinds that it excludes")]
    excluded_namespaces: Annotated[list[str], doc("namespaces that it excludes")]
    match: Annotated[str | None, doc("match as JSON")] = None
    exclude: Annotated[str | None, doc("exclude as JSON; null: none")] = None
    conditions: Annotated[bool, doc("it has preconditions or match conditions")]
    reads_known: Annotated[bool, doc("it could be read to the end; else there may be more")]
    container_fields: Annotated[
        list[str], doc("containers, initContainers, ephemeralContainers: those that it looks at")
    ]
    fields: Annotated[list[str], doc("fields of pods and containers that it reads or sets")]
    required_fields: Annotated[
        list[str] | None, doc("those whose absence it refuses; null: cannot be told")
    ] = None
    safe_fields: Annotated[list[str], doc(SAFE)]
    unsafe_fields: Annotated[list[str], doc(UNSAFE)]
    compares: Annotated[list[str], doc(COMPARES)]
    overwrites: Annotated[
        bool | None, doc("a merge sets fields without +( ); null: no merge is there")
    ] = None
    images: Annotated[list[str], doc("images that it verifies")]
    lax: Annotated[list[str], doc("settings of verifyImages that let images pass, sorted")]
    strange: Annotated[list[str], doc("fields of it that are not known here")]


class PolicyExceptionRow(Trace, kw_only=True):
    group: Annotated[str, doc("kyverno.io or policies.kyverno.io")]
    namespace: Annotated[str, doc("namespace of the exception")]
    name: Annotated[str, doc("name of the exception")]
    position: Annotated[int, doc("place of the policy in the exception, from 1")]
    policy_kind: Annotated[str, doc("kind of the policy; empty where not told")]
    policy: Annotated[str, doc("policy that is excepted from, as written")]
    rules: Annotated[list[str], doc("rules of it, * for parts; empty: all of the policy")]
    kinds: Annotated[list[str], doc("kinds that are excepted; empty: not told by kind")]
    namespaces: Annotated[list[str], doc("namespaces that are excepted; empty: all")]
    match: Annotated[str | None, doc("match as JSON; null: none")] = None
    conditions: Annotated[bool, doc("it holds on conditions only")]
    images: Annotated[list[str], doc("images that are excepted; empty: not told by image")]
    pod_security: Annotated[int, doc("how many controls of Pod Security it narrows to")] = 0
    background: Annotated[bool, doc("it holds for what exists too; true where unset")]
    expires_at: Annotated[datetime | None, doc("when it ends; null: never")] = None
    owner: Annotated[str | None, doc("whose it is, of its annotations or labels")] = None
    reason: Annotated[str | None, doc("why it is there, of its annotations")] = None
    created_at: Annotated[datetime | None, doc("creation time")] = None


class KyvernoFilterRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the ConfigMap")]
    name: Annotated[str, doc("name of the ConfigMap")]
    setting: Annotated[str, doc("key of the ConfigMap: resourceFilters, excludeGroups, …")]
    position: Annotated[int, doc("place in the setting, from 1")]
    filtered: Annotated[
        str, doc("kind that Kyverno leaves out, as written; * for parts; empty: by who asks")
    ]
    place: Annotated[str, doc("namespaces where it does; * for parts; empty: none")]
    object: Annotated[str, doc("names of objects that it does for; * for parts; empty: none")]
    user: Annotated[
        str, doc("users, groups or roles whose requests it leaves out; ! takes them back in")
    ]


KYVERNO_FILTERS = Table(
    "kyverno_filters",
    KyvernoFilterRow,
    grain="one filter in the settings of Kyverno: what it looks at for no policy",
    key=("namespace", "name", "setting", "position"),
    resource=Resource("=ConfigMap"),
    beyond=True,
)
KYVERNO_POLICIES = Table(
    "kyverno_policies",
    KyvernoPolicyRow,
    grain="one policy of Kyverno",
    key=("group", "kind", "namespace", "name"),
    resource=Resource("kind"),
)
KYVERNO_RULES = Table(
    "kyverno_rules",
    KyvernoRuleRow,
    grain="one rule of a policy of Kyverno",
    key=("group", "kind", "namespace", "policy", "position"),
    resource=Resource("kind", name="policy"),
)
POLICY_EXCEPTIONS = Table(
    "policy_exceptions",
    PolicyExceptionRow,
    grain="one policy that an exception of Kyverno excepts from",
    key=("group", "namespace", "name", "position"),
    resource=Resource("=PolicyException"),
    beyond=True,
)
