"""Stores and generators of the External Secrets Operator: where secrets come from.

Source: external-secrets.io, "API specification". Of a provider's settings only the Secrets and
service accounts that they point at are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from kaudit.model.external_secrets import Generator, SecretStore
from kaudit.model.meta import Condition
from kaudit.model.place import Place
from kaudit.model.store_references import Reference
from kaudit.registry import Read, collector
from kaudit.table import Resource, Row, Table, Trace, doc

_VERSIONS = ("v1", "v1beta1", "v1alpha1")


class SecretStoreRow(Trace, kw_only=True):
    kind: Annotated[str, doc("SecretStore or ClusterSecretStore")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterSecretStore")]
    name: Annotated[str, doc("name")]
    uid: Annotated[str, doc("uid")]
    api_version: Annotated[str, doc("apiVersion that it was read in")]
    provider: Annotated[str, doc("vault, aws, gcpsm, azurekv, kubernetes, fake, …; empty: none")]
    auth: Annotated[
        str,
        doc(
            "static: a credential in a Secret, or written out; certificate: a client certificate; "
            "account: a service account; ambient: nothing, so what its controller runs as"
        ),
    ]
    auth_paths: Annotated[list[str], doc("settings that point at what it logs in with, sorted")]
    secrets: Annotated[list[str], doc("namespace/name of Secrets it logs in with, sorted")]
    accounts: Annotated[list[str], doc("namespace/name of its service accounts, sorted")]
    literals: Annotated[list[str], doc("settings with a credential written out, sorted")]
    controller: Annotated[str, doc("class of the controller that works on it")]
    scopes: Annotated[list[str], doc("terms of its conditions; any lets a namespace in")]
    max_retries: Annotated[int | None, doc("retrySettings.maxRetries")] = None
    capabilities: Annotated[str | None, doc("ReadOnly, WriteOnly or ReadWrite, of its status")] = (
        None
    )
    ready: Annotated[bool | None, doc("condition Ready; null: none is told")] = None
    reason: Annotated[str | None, doc("reason of that condition")] = None


class SecretGeneratorRow(Trace, kw_only=True):
    kind: Annotated[str, doc("Password, ECRAuthorizationToken, ClusterGenerator, …")]
    namespace: Annotated[str, doc("namespace; empty for a ClusterGenerator")]
    name: Annotated[str, doc("name")]
    auth: Annotated[str, doc("static, certificate, account or ambient, as of a store")]
    secrets: Annotated[list[str], doc("namespace/name of Secrets it logs in with, sorted")]
    accounts: Annotated[list[str], doc("namespace/name of its service accounts, sorted")]


SECRET_STORES = Table(
    "secret_stores",
    SecretStoreRow,
    grain="one SecretStore or ClusterSecretStore",
    key=("kind", "namespace", "name", "uid"),
    resource=Resource("kind"),
)
SECRET_GENERATORS = Table(
    "secret_generators",
    SecretGeneratorRow,
    grain="one generator of the External Secrets Operator",
    key=("kind", "namespace", "name"),
    resource=Resource("kind"),
)
_GENERATORS = (
    "ACRAccessToken",
    "BeyondtrustWorkloadCredentialsDynamicSecret",
    "CloudsmithAccessToken",
    "ClusterGenerator",
    "ECRAuthorizationToken",
    "Fake",
    "GCRAccessToken",
    "GithubAccessToken",
    "GitlabDeployToken",
    "Grafana",
    "MFA",
    "Password",
    "QuayAccessToken",
    "SSHKey",
    "STSSessionToken",
    "UUID",
    "VaultDynamicSecret",
    "Webhook",
)


@collector(
    Read("external-secrets.io", "SecretStore", "secretstores", SecretStore, _VERSIONS),
    Read(
        "external-secrets.io",
        "ClusterSecretStore",
        "clustersecretstores",
        SecretStore,
        _VERSIONS,
        namespaced=False,
    ),
    tables=(SECRET_STORES,),
)
def secret_stores(found: SecretStore, at: Place) -> Iterator[Row]:
    """Yield one row a store."""
    spec, status = found.spec, found.status
    references = spec.references
    whole = at.kind == "ClusterSecretStore"
    conditions = status.conditions
    yield SecretStoreRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace="" if whole else at.namespace,
        name=at.name,
        uid=at.uid,
        api_version=found.api_version,
        provider=",".join(sorted(spec.provider or ())),
        auth=_auth(references),
        auth_paths=sorted({r.path for r in references}),
        secrets=_named(references, "Secret", at.namespace),
        accounts=_named(references, "ServiceAccount", at.namespace),
        literals=sorted({r.path for r in references if r.kind == "literal"}),
        controller=spec.controller or "",
        scopes=sorted(text for c in spec.conditions or () for text in c.texts),
        max_retries=spec.retry_settings.max_retries if spec.retry_settings else None,
        capabilities=status.capabilities,
        ready=Condition.truth(conditions, "Ready"),
        reason=next((c.reason for c in conditions or () if c.type == "Ready"), None),
    )


@collector(
    *(
        Read(
            "generators.external-secrets.io",
            kind,
            f"{kind.lower()}s",
            Generator,
            ("v1alpha1",),
            namespaced=kind != "ClusterGenerator",
        )
        for kind in _GENERATORS
    ),
    tables=(SECRET_GENERATORS,),
)
def secret_generators(found: Generator, at: Place) -> Iterator[Row]:
    """Yield one row a generator."""
    references = found.references
    namespace = "" if at.kind == "ClusterGenerator" else at.namespace
    yield SecretGeneratorRow(
        raw=at.raw,
        raw_line=at.line,
        kind=at.kind,
        namespace=namespace,
        name=at.name,
        auth=_auth(references),
        secrets=_named(references, "Secret", namespace),
        accounts=_named(references, "ServiceAccount", namespace),
    )


def _auth(references: list[Reference]) -> str:
    """Weakest of the ways to log in."""
    if any(r.static for r in references):
        return "static"
    if any(r.certificate for r in references):
        return "certificate"
    return "account" if references else "ambient"


def _named(references: list[Reference], kind: str, home: str) -> list[str]:
    """Objects of a kind; one without a namespace is in that of who points at it."""
    found = {f"{r.namespace or home}/{r.name}" for r in references if r.kind == kind}
    return sorted(found)
