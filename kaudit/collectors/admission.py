"""Admission webhooks and what they are asked about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from kaudit.model.admission import WebhookConfiguration
from kaudit.model.meta import ABSENT, selector_text
from kaudit.model.place import Place
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc


class WebhookRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ValidatingWebhookConfiguration or MutatingWebhookConfiguration")]
    name: Annotated[str, doc("name of the configuration")]
    position: Annotated[int, doc("place among its webhooks, from 0")]
    webhook: Annotated[str, doc("name of the webhook")]
    failure_policy: Annotated[str, doc("Fail or Ignore; Fail where unset")]
    match_policy: Annotated[str, doc("Exact or Equivalent; Equivalent where unset")]
    timeout_seconds: Annotated[int | None, doc("timeoutSeconds")] = None
    side_effects: Annotated[str | None, doc("sideEffects")] = None
    namespace_selector: Annotated[str | None, doc("namespaceSelector as JSON")] = None
    object_selector: Annotated[str | None, doc("objectSelector as JSON")] = None
    reinvocation_policy: Annotated[str | None, doc("Never or IfNeeded, of a mutating one")] = None
    ca_bundle: Annotated[bool, doc("has a caBundle, which is not kept")] = False
    ca_expires_at: Annotated[
        datetime | None, doc("end of the certificate of that bundle which lasts longest")
    ] = None
    match_conditions: Annotated[int, doc("how many match conditions")] = 0
    service: Annotated[str | None, doc("namespace/name of the Service behind")] = None
    service_path: Annotated[str | None, doc("path asked at that Service")] = None
    service_port: Annotated[int | None, doc("port of that Service; null: 443")] = None
    url: Annotated[str | None, doc("host of the URL behind, where it is no Service")] = None
    rules: Annotated[list[str], doc("operations groups/versions/resources scope, one text a rule")]


class WebhookRuleRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ValidatingWebhookConfiguration or MutatingWebhookConfiguration")]
    name: Annotated[str, doc("name of the configuration")]
    position: Annotated[int, doc("place of the webhook in it, from 0")]
    rule: Annotated[int, doc("place of the rule in the webhook, from 0")]
    operations: Annotated[list[str], doc("CREATE, UPDATE, DELETE, CONNECT or *")]
    api_groups: Annotated[list[str], doc("API groups; '' is the core, * all")]
    api_versions: Annotated[list[str], doc("API versions; * all")]
    resources: Annotated[list[str], doc("resources, with subresources after a slash; * all")]
    scope: Annotated[str, doc("Cluster, Namespaced or *; * where unset")] = "*"


_NAMELESS = Resource("kind", namespace="")
WEBHOOKS = Table(
    "webhooks",
    WebhookRow,
    grain="one webhook",
    key=("kind", "name", "position"),
    resource=_NAMELESS,
)
WEBHOOK_RULES = Table(
    "webhook_rules",
    WebhookRuleRow,
    grain="one rule of a webhook",
    key=("kind", "name", "position", "rule"),
    resource=_NAMELESS,
)
_GROUP = "admissionregistration.k8s.io"


@collector(
    Read(
        _GROUP,
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        WebhookConfiguration,
        namespaced=False,
    ),
    Read(
        _GROUP,
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        WebhookConfiguration,
        namespaced=False,
    ),
    tables=(WEBHOOKS, WEBHOOK_RULES),
)
def webhooks(found: WebhookConfiguration, at: Place) -> Iterator[Row]:
    """Yield the webhooks of a configuration and their rules."""
    for position, hook in enumerate(found.webhooks or ()):
        client = hook.client_config
        service = client.service
        yield WebhookRow(
            raw=at.raw,
            raw_line=at.line,
            kind=at.kind,
            name=at.name,
            position=position,
            webhook=hook.name,
            failure_policy=hook.failure_policy or "Fail",
            match_policy=hook.match_policy or "Equivalent",
            timeout_seconds=hook.timeout_seconds,
            side_effects=hook.side_effects,
            namespace_selector=selector_text(hook.namespace_selector),
            object_selector=selector_text(hook.object_selector),
            match_conditions=len(hook.match_conditions or ()),
            service=f"{service.namespace}/{service.name}" if service else None,
            service_path=service.path if service else None,
            service_port=service.port if service else None,
            url=client.url,
            reinvocation_policy=hook.reinvocation_policy,
            ca_bundle=client.ca_bundle != ABSENT,
            ca_expires_at=client.ca_expires_at,
            rules=[rule.text for rule in hook.rules or ()],
        )
        for place, rule in enumerate(hook.rules or ()):
            yield WebhookRuleRow(
                raw=at.raw,
                raw_line=at.line,
                kind=at.kind,
                name=at.name,
                position=position,
                rule=place,
                operations=rule.operations or [],
                api_groups=rule.api_groups or [],
                api_versions=rule.api_versions or [],
                resources=rule.resources or [],
                scope=rule.scope or "*",
            )
