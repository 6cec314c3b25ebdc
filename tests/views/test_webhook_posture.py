"""Which engine answers a webhook: its Service says so, and its name where it is behind a URL."""

from __future__ import annotations

import pytest

from kaudit.collect import collect
from tests.memory_source import MemorySource, objects, rows

HOOK = """
{{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {{name: w}}, webhooks: [
  {{name: {name}, clientConfig: {client}, rules: [{{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}}]}}]}}
"""
URL = "{url: 'https://10.0.0.1/v1/admit'}"


@pytest.mark.parametrize(
    ("name", "client", "engine"),
    [
        ("validation.gatekeeper.sh", URL, "Gatekeeper"),
        ("validate.kyverno.svc-fail", URL, "Kyverno"),
        ("policies.shop.example", URL, ""),
        ("validation.gatekeeper.sh", "{service: {namespace: shop, name: copa}}", ""),
        ("a.b.c", "{service: {namespace: kyverno, name: kyverno-svc}}", "Kyverno"),
    ],
)
def test_the_engine_of_a_webhook(name: str, client: str, engine: str) -> None:
    evidence = collect(MemorySource(*objects(HOOK.format(name=name, client=client))))
    assert rows(evidence, "webhook_posture", "engine") == [{"engine": engine}]
