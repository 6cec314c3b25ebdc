"""What a service account is to RBAC: a user of its own name, and the groups that it is in.

Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ ("Bound
service account tokens") and authentication/ ("Service account tokens"), of Kubernetes v1.36.
"""

from __future__ import annotations

#: What the user of an account begins with, before its namespace.
USER = "system:serviceaccount:"
#: What the group of all accounts of a namespace begins with.
OF_NAMESPACE = "system:serviceaccounts:"
#: Groups that every account is in, wherever it is.
OF_ALL = ("system:authenticated", "system:serviceaccounts")


def user_of(namespace: str, account: str) -> str:
    """Return the name that the API server knows an account by.

    >>> user_of("shop", "web")
    'system:serviceaccount:shop:web'
    """
    return f"{USER}{namespace}:{account}"


def groups_of(namespace: str) -> tuple[str, ...]:
    """Return the groups that an account of a namespace is in.

    >>> groups_of("shop")[-1]
    'system:serviceaccounts:shop'
    """
    return *OF_ALL, f"{OF_NAMESPACE}{namespace}"
