"""What a Secret is for, and who keeps it: told by its type, name, labels and owners.

Sources: kubernetes.io, "Secrets" (types); helm.sh, "helm history"; argo-cd.readthedocs.io,
"Declarative Setup"; developer.hashicorp.com, "Terraform backend: kubernetes" and "Vault Secrets
Operator"; cert-manager.io, "Certificate resources"; external-secrets.io, "Lifecycle".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

TOKEN, RELEASE = "service account token", "helm release"
ARGO, TERRAFORM, KUBEADM = "argo cd", "terraform state", "kubeadm certificates"
BOOTSTRAP, WEBHOOK = "bootstrap token", "webhook certificate"
TLS, REGISTRY, SSH, BASIC = "tls", "registry", "ssh", "basic auth"
OPAQUE, UNTOLD = "opaque", "untold"
#: What one would rotate: credentials, and Secrets of which nothing else is known.
CREDENTIALS = (TLS, REGISTRY, SSH, BASIC, OPAQUE, UNTOLD)
#: Records of tools, with the values of other Secrets inside.
STATE = (RELEASE, ARGO, TERRAFORM, KUBEADM)

_BY_TYPE = {
    "kubernetes.io/service-account-token": TOKEN,
    "bootstrap.kubernetes.io/token": BOOTSTRAP,
    "helm.sh/release.v1": RELEASE,
    "kubernetes.io/tls": TLS,
    "kubernetes.io/dockerconfigjson": REGISTRY,
    "kubernetes.io/dockercfg": REGISTRY,
    "kubernetes.io/ssh-auth": SSH,
    "kubernetes.io/basic-auth": BASIC,
}
#: Certificates that a controller makes for its own webhook.
_HOOK = re.compile(
    r"webhook[\w.-]*(cert|tls|ca)|(cert|tls)[\w.-]*webhook|\.svc\.[\w.-]*tls-(pair|ca)$"
)


def secret_class(
    type: str | None, namespace: str, name: str, labels: Mapping[str, str], account: str | None
) -> str:
    """Class of a Secret; where only metadata was read its name and labels tell.

    >>> secret_class(None, "shop", "sh.helm.release.v1.web.v3", {}, None)
    'helm release'
    >>> secret_class("Opaque", "cd", "repo", {"argocd.argoproj.io/secret-type": "cluster"}, None)
    'argo cd'
    >>> secret_class(None, "shop", "db", {}, None), secret_class("Opaque", "shop", "db", {}, None)
    ('untold', 'opaque')
    """
    found = _BY_TYPE.get(type or "")
    if found in (TOKEN, BOOTSTRAP, RELEASE):
        return found
    if type is None and account:
        return TOKEN
    if namespace == "kube-system" and type is None and name.startswith("bootstrap-token-"):
        return BOOTSTRAP
    if type is None and name.startswith("sh.helm.release.v1."):
        return RELEASE
    if "argocd.argoproj.io/secret-type" in labels:
        return ARGO
    if labels.get("tfstate") == "true" or name.startswith("tfstate-"):
        return TERRAFORM
    if (namespace, name) == ("kube-system", "kubeadm-certs"):
        return KUBEADM
    if "cert.kyverno.io/managed-by" in labels or _HOOK.search(name):
        return WEBHOOK
    return found or (UNTOLD if type is None else OPAQUE)


#: Kinds of owners that fetch, unseal or issue what the Secret holds.
_MANAGERS = {
    "ExternalSecret": "ExternalSecret",
    "ClusterExternalSecret": "ExternalSecret",
    "SealedSecret": "SealedSecret",
    "VaultStaticSecret": "Vault Secrets Operator",
    "VaultDynamicSecret": "Vault Secrets Operator",
    "VaultPKISecret": "Vault Secrets Operator",
    "Certificate": "cert-manager",
    "SecretProviderClassPodStatus": "Secrets Store CSI",
}
_LABELS = {
    "reconcile.external-secrets.io/managed": "ExternalSecret",
    "reconcile.external-secrets.io/created-by": "ExternalSecret",
    "secrets-store.csi.k8s.io/managed": "Secrets Store CSI",
    "controller.cert-manager.io/fao": "cert-manager",
}


def manager_of(
    owners: Collection[str], labels: Mapping[str, str], annotations: Collection[str]
) -> str:
    """Who keeps a Secret, by its owners (``Kind/name``), labels and annotation keys.

    An operator of another kind that owns it keeps it too; empty where nobody is known to.

    >>> manager_of(["ExternalSecret/db"], {}, []), manager_of(["Kafka/logs"], {}, [])
    ('ExternalSecret', 'operator of Kafka')
    >>> manager_of([], {"reconcile.external-secrets.io/managed": "true"}, [])
    'ExternalSecret'
    >>> manager_of([], {"app": "web"}, [])
    ''
    """
    kinds = [owner.partition("/")[0] for owner in owners]
    for kind in kinds:
        if kind in _MANAGERS:
            return _MANAGERS[kind]
    for key, manager in _LABELS.items():
        if labels.get(key, "false") != "false":
            return manager
    if labels.get("app.kubernetes.io/managed-by") == "hashicorp-vso":
        return "Vault Secrets Operator"
    if "cert-manager.io/certificate-name" in annotations:
        return "cert-manager"
    return f"operator of {kinds[0]}" if kinds else ""
