"""What each admission webhook is asked, what slips past it, and whether anybody answers.

Selectors are evaluated on the namespaces that are there. Each namespace has the label
kubernetes.io/metadata.name, also where a manifest leaves it out (Kubernetes, "Well-Known
Labels", v1.34). The API server asks no webhook about webhook configurations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import assembled, series
from kaudit.model import platform
from kaudit.model.admission_rules import GUARDS, Rule, engine_of, holes, seen, sees_pods
from kaudit.model.meta import pairs_of
from kaudit.registry import view
from kaudit.selectors import selector
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd


class WebhookPostureRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ValidatingWebhookConfiguration or MutatingWebhookConfiguration")]
    name: Annotated[str, doc("name of the configuration")]
    position: Annotated[int, doc("place among its webhooks, from 0")]
    webhook: Annotated[str, doc("name of the webhook")]
    engine: Annotated[
        str, doc("engine that is known by its Service, behind a URL by its name; empty: none")
    ]
    purpose: Annotated[str, doc("policy, signature, mesh, secrets or platform; empty: not known")]
    asked: Annotated[bool, doc("it has rules: it is asked about something")]
    sees_pods: Annotated[bool, doc("it is asked when pods, or what makes them, are created")]
    creates: Annotated[
        list[str], doc("Pod, and kinds that make pods, of whose creation it is asked, sorted")
    ]
    guards: Annotated[
        bool, doc("asked, and of a policy, signature or mesh engine, or it judges pods")
    ]
    guards_pods: Annotated[bool, doc("it guards, and is asked about pods or what makes them")]
    failure_policy: Annotated[str, doc("Fail or Ignore")]
    match_policy: Annotated[str, doc("Exact or Equivalent")]
    timeout_seconds: Annotated[int | None, doc("timeoutSeconds")]
    rules: Annotated[list[str], doc("operations groups/versions/resources scope")]
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")]
    object_selector: Annotated[str | None, doc("objectSelector as JSON")]
    match_conditions: Annotated[int, doc("how many match conditions")]
    chooses_objects: Annotated[bool, doc("its objectSelector leaves objects out by their labels")]
    left_out: Annotated[
        list[str], doc("namespaces that it is not asked about, but for the platform's and its own")
    ]
    holes: Annotated[list[str], doc("requests on pods that no webhook of the configuration is of")]
    broad: Annotated[list[str], doc("what it sees more than it should need, or sends elsewhere")]
    service: Annotated[str | None, doc("namespace/name of the Service behind")]
    url: Annotated[str | None, doc("host of the URL behind, where it is no Service")]
    endpoints: Annotated[
        int | None, doc("ready endpoints of the Service; null: none is known of any Service")
    ]


WEBHOOK_POSTURE = Table(
    "webhook_posture",
    WebhookPostureRow,
    grain="one admission webhook, and what it covers",
    key=("kind", "name", "position"),
    resource=Resource("kind", namespace=""),
)
_COPIED = (
    *("raw", "raw_line", "kind", "name", "position", "webhook", "failure_policy"),
    *("match_policy", "timeout_seconds", "rules", "namespace_selector", "object_selector"),
    *("match_conditions", "service", "url"),
)
_NAME = "kubernetes.io/metadata.name"
_Rules = dict[tuple[str, str, int], list[Rule]]


@view(
    WEBHOOK_POSTURE,
    naming=("endpoint_slices",),
    decided={"asked": (), "guards": (), "guards_pods": ()},
)
def webhook_posture(
    webhooks: pd.DataFrame,
    webhook_rules: pd.DataFrame,
    namespaces: pd.DataFrame,
    endpoint_slices: pd.DataFrame,
) -> pd.DataFrame:
    """Evaluate rules and selectors of webhooks."""
    import pyarrow as pa

    w = webhooks
    if not len(w):
        return WEBHOOK_POSTURE.empty()
    rules = _rules(webhook_rules)
    labels = {n: _labels(n, found) for n, found in zip(*_of(namespaces), strict=True)}
    ready = _ready(endpoint_slices)
    rows = [_row(hook, rules, labels, ready) for hook in w.to_dict("records")]
    of_guards: dict[tuple[str, str], list[Rule]] = {}
    for hook, row in zip(w.to_dict("records"), rows, strict=True):
        if row["guards"]:
            of_guards.setdefault((hook["kind"], hook["name"]), []).extend(_of_hook(hook, rules))
    for hook, row in zip(w.to_dict("records"), rows, strict=True):
        row["holes"] = holes(of_guards[hook["kind"], hook["name"]]) if row["guards_pods"] else []
    found: dict[str, Any] = {name: w[name] for name in _COPIED}
    for field in WEBHOOK_POSTURE.schema:
        if field.name not in found:
            found[field.name] = series(pa.array([row[field.name] for row in rows], field.type), w)
    return assembled(w, found, WEBHOOK_POSTURE.names)


def _of(namespaces: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    return namespaces["name"].tolist(), namespaces["labels"].tolist()


def _labels(name: str, texts: list[str]) -> dict[str, str]:
    return {_NAME: name} | pairs_of(texts)


def _rules(table: pd.DataFrame) -> _Rules:
    found: _Rules = {}
    for row in table.to_dict("records"):
        named = ("operations", "api_groups", "api_versions", "resources")
        operations, groups, versions, resources = (tuple(row[name]) for name in named)
        rule = Rule(operations, groups, versions, resources, row["scope"])
        found.setdefault((row["kind"], row["name"], row["position"]), []).append(rule)
    return found


def _of_hook(hook: dict[Any, Any], rules: _Rules) -> list[Rule]:
    return rules.get((hook["kind"], hook["name"], hook["position"]), [])


def _ready(slices: pd.DataFrame) -> dict[str, int] | None:
    """Ready endpoints by Service; None where the evidence holds no slice at all."""
    if not len(slices):
        return None
    found: dict[str, int] = {}
    for namespace, service, ready in zip(
        *(slices[name] for name in ("namespace", "service", "ready")), strict=True
    ):
        if isinstance(service, str):
            key = f"{namespace}/{service}"
            found[key] = found.get(key, 0) + int(ready)
    return found


def _row(
    hook: dict[Any, Any],
    rules: _Rules,
    labels: dict[str, dict[str, str]],
    ready: dict[str, int] | None,
) -> dict[str, Any]:
    own, validates = _of_hook(hook, rules), hook["kind"].startswith("Validating")
    service = hook["service"] if isinstance(hook["service"], str) else ""
    engine = engine_of(service or hook["webhook"].replace(".", "-"))
    purpose = engine.purpose if engine else ""
    pods = sees_pods(own)
    guards = bool(own) and (purpose in GUARDS or (not engine and validates and pods))
    return {
        "engine": engine.title if engine else "",
        "purpose": purpose,
        "asked": bool(own),
        "sees_pods": pods,
        "creates": seen(own),
        "guards": guards,
        "guards_pods": guards and pods,
        "chooses_objects": _narrows(hook["object_selector"]),
        "left_out": _left_out(hook, service, labels),
        "broad": [] if engine else _broad(hook, own),
        "endpoints": ready.get(service, 0) if ready is not None and service else None,
    }


def _narrows(text: Any) -> bool:
    return isinstance(text, str) and text != "{}"


def _left_out(hook: dict[Any, Any], service: str, labels: dict[str, dict[str, str]]) -> list[str]:
    """Namespaces that the selector does not select; the engine's own may be left out."""
    if not _narrows(hook["namespace_selector"]):
        return []
    selects = selector(hook["namespace_selector"])
    spared = {*platform.NAMESPACES, service.partition("/")[0]}
    return sorted(n for n, has in labels.items() if n not in spared and not selects(has))


_LOCAL = ("localhost", "127.0.0.1", "[::1]")


def _broad(hook: dict[Any, Any], rules: list[Rule]) -> list[str]:
    """What a webhook that nobody knows sees beyond what it should need."""
    found = []
    if any("*" in rule.groups and {"*", "*/*"} & {*rule.resources} for rule in rules):
        found.append("every resource")
    elif any(rule.covers("CREATE", "", "secrets") for rule in rules):
        found.append("Secrets")
    if any("CONNECT" in rule.operations for rule in rules):
        found.append("connections into pods")
    if isinstance(url := hook["url"], str):
        host = url.partition("//")[2].strip("/")
        name = host.rpartition(":")[0] or host
        if name not in _LOCAL and not name.endswith((".svc", ".svc.cluster.local")):
            found.append(f"sent to {host}")
    return found
