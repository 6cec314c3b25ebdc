"""Service-account tokens in pods, and whether the account could use them for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, named, over_texts, series, text_is
from kaudit.model.rbac_rule import given_by
from kaudit.model.service_account import OF_ALL, OF_NAMESPACE, user_of
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import OWNER, POD, POD_KEY, OfPod

if TYPE_CHECKING:
    import pandas as pd


class PodTokenRow(OfPod, kw_only=True):
    service_account: Annotated[str, doc("effective account; default where unset, '' if static")]
    token_mounted: Annotated[bool, doc("a token is mounted automatically")]
    token_setting: Annotated[str, doc("where the token setting comes from")]
    token_projected: Annotated[bool, doc("a volume of it projects a token for the API server")]
    has_rights: Annotated[bool, doc("a binding gives the account, or its groups, rights")]
    needless: Annotated[bool, doc("it has a token for the API server, and no rights to use it")]
    powerful: Annotated[bool, doc("it has a token, and rights that lead to those of others")]
    leads: Annotated[list[str], doc("those rights: whose, by which binding and role, the rule")]


POD_TOKENS = Table(
    "pod_tokens",
    PodTokenRow,
    grain="one pod or pod template and its token for the API server",
    key=POD_KEY,
    resource=OWNER,
    pods=True,
)

#: Audiences that the API server takes by default (kube-apiserver --api-audiences, kubeadm).
API_AUDIENCES = (
    "",
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
)

_COPIED = (
    *POD,
    "service_account",
    "token_mounted",
    "token_setting",
)


@view(POD_TOKENS)
def pod_tokens(
    pod_context: pd.DataFrame, projections: pd.DataFrame, permissions: pd.DataFrame
) -> pd.DataFrame:
    """Tell which pods hold a token, and whether any binding makes it worth something."""
    tokens = projections[
        (
            text_is(projections["source"], "serviceAccountToken")
            & text_is(projections["audience"].fillna(""), *API_AUDIENCES)
        ).to_numpy(dtype=bool)
    ]
    projected = series(named(tokens["pod_uid"], pod_context["pod_uid"]), pod_context)
    rights = _rights(pod_context, permissions)
    leads, leading = _leads(pod_context, permissions)
    found: dict[str, Any] = {name: pod_context[name] for name in _COPIED}
    found |= {
        "token_projected": projected,
        "has_rights": rights,
        "needless": (pod_context["token_mounted"] | projected) & ~rights,
        "leads": leads,
        "powerful": (pod_context["token_mounted"] | projected) & leading,
    }
    return assembled(pod_context, found, POD_TOKENS.names)


def _rights(pods: pd.DataFrame, permissions: pd.DataFrame) -> pd.Series[Any]:
    """Rights of the account by name, and of its groups beyond the defaults of Kubernetes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    accounts = permissions["subject"][
        text_is(permissions["subject_kind"], "ServiceAccount").to_numpy(dtype=bool)
    ]
    others = permissions[
        (~text_is(permissions["subject_kind"], "ServiceAccount") & permissions["judged"]).to_numpy(
            dtype=bool
        )
    ]
    subjects = set(others["subject"])
    if not subjects.isdisjoint(OF_ALL):
        return series(pa.array([True] * len(pods), pa.bool_()), pods)
    name = pc.binary_join_element_wise(
        arrow(pods["namespace"]), arrow(pods["service_account"]), "/"
    )
    user = pc.binary_join_element_wise(
        "system:serviceaccount", arrow(pods["namespace"]), arrow(pods["service_account"]), ":"
    )
    group = pc.binary_join_element_wise(OF_NAMESPACE, arrow(pods["namespace"]), "")
    texts = pa.array(sorted(subjects), pa.string())
    return series(
        pc.or_(
            pc.is_in(name, value_set=arrow(accounts)),
            pc.or_(pc.is_in(user, value_set=texts), pc.is_in(group, value_set=texts)),
        ),
        pods,
    )


def _leads(pods: pd.DataFrame, permissions: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Rights of the account and its groups that lead to those of others, and whether any do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    steps = _steps(permissions)
    everybody = [step for group in OF_ALL for step in steps.get(("Group", group), ())]

    def of_account(text: str) -> list[str]:
        namespace, _, account = text.partition("/")
        subjects = (
            ("ServiceAccount", text),
            ("User", user_of(namespace, account)),
            ("Group", OF_NAMESPACE + namespace),
        )
        own = [step for subject in subjects for step in steps.get(subject, ())]
        return [*own, *everybody] if account else []

    named_ = pc.binary_join_element_wise(
        arrow(pods["namespace"]), arrow(pods["service_account"]), "/"
    )
    texts = pa.list_(pa.string())
    none = pa.scalar([], texts)
    leads = over_texts(series(named_, pods), of_account, unset=none, type_=texts)
    some = pc.greater(pc.list_value_length(arrow(leads)), 0)
    return leads, series(pc.fill_null(some, False), pods)


def _steps(permissions: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Rights that lead further, by kind and name of the subject."""
    found: dict[tuple[str, str], list[str]] = {}
    rows = permissions[permissions["takeover"].to_numpy(dtype=bool)]
    names = ("subject_kind", "subject", "binding_kind", "namespace", "binding", "role", "grants")
    for kind, subject, *path in zip(*(arrow(rows[n]).to_pylist() for n in names), strict=True):
        binding_kind, namespace, binding, role, grants = path
        step = f"{kind} {subject}, {given_by(binding_kind, namespace, binding, role)}: {grants}"
        found.setdefault((kind, subject), []).append(step)
    return found
