"""From Secret to workload: who keeps it, how it reaches the workload, who else can read it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import records
from kaudit.model.secret_rights import Readers
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class SecretExposureRow(Trace, kw_only=True):
    kind: Annotated[str, doc("always Secret")] = "Secret"
    namespace: Annotated[str, doc("namespace of the Secret")]
    name: Annotated[str, doc("name of the Secret")]
    known: Annotated[bool, doc("the Secret is in the evidence; else something names it")]
    purpose: Annotated[str, doc("what it is for, as of secret_management; empty: not known")]
    manager: Annotated[str, doc("who keeps it; empty: nobody, or not known")]
    managed: Annotated[bool, doc("somebody keeps it")]
    user_kind: Annotated[str, doc("kind of what uses it; empty: nothing is known to")]
    user_namespace: Annotated[str, doc("namespace of what uses it")]
    user_name: Annotated[str, doc("name of what uses it")]
    of_workload: Annotated[bool, doc("a workload uses it")]
    ways: Annotated[list[str], doc("env, envFrom, file, subPath, pull, tls, …, sorted")]
    in_environment: Annotated[bool, doc("the workload has it in its environment")]
    pods: Annotated[int, doc("running pods of the workload")]
    readers: Annotated[int, doc("subjects that can read it by RBAC, without Kubernetes' own")]
    cluster_readers: Annotated[int, doc("those of them that can read every Secret")]
    near_readers: Annotated[list[str], doc("the others of them, as Kind/name, sorted")]
    age_days: Annotated[int | None, doc("whole days since it was made or last changed")]
    changed_at: Annotated[datetime | None, doc("when its values were last changed, or it was made")]
    outdated: Annotated[
        bool, doc("the workload still holds what it read before the Secret was changed")
    ]


SECRET_EXPOSURE = Table(
    "secret_exposure",
    SecretExposureRow,
    grain="one Secret and one of those who use it",
    key=("namespace", "name", "user_kind", "user_namespace", "user_name", "raw", "raw_line"),
    resource=Resource("kind"),
)


@view(SECRET_EXPOSURE, naming=("secret_readers",))
def secret_exposure(
    secret_references: pd.DataFrame,
    secret_management: pd.DataFrame,
    secret_ages: pd.DataFrame,
    secrets: pd.DataFrame,
    secret_readers: pd.DataFrame,
) -> pd.DataFrame:
    """Join references with what is known of each Secret, and count its readers."""
    readers = Readers.of(records(secret_readers))
    facts = _facts(secret_management, secret_ages, secrets)
    uses: dict[tuple[str, ...], dict[str, Any]] = {}
    for r in records(secret_references, *_OF_REFERENCES):
        secret = (r["secret_namespace"], r["secret"])
        key = (*secret, r["kind"], r["namespace"], r["name"])
        use = uses.setdefault(
            key, {**_USE, "raw": r["raw"], "raw_line": r["raw_line"], "ways": set()}
        )
        use["ways"].add(r["way"])
        use["of_workload"] |= r["of_workload"]
        running = r["raw"] == "pods"
        use["pods"] = max(use["pods"], r["pods"] if running else 0)
        changed = facts.get(secret, _UNKNOWN)["changed_at"]
        late = r["fixed"] and changed and r["started_at"] and r["started_at"] < changed
        use["outdated"] |= bool(late)
    used = {key[:2] for key in uses}
    for idle, fact in facts.items():
        if idle not in used:
            of = {**_USE, "raw": fact["raw"], "raw_line": fact["raw_line"], "ways": set()}
            uses[*idle, "", "", ""] = of
    near = {key: sorted(readers.nearby(*key)) for key in {key[:2] for key in uses}}
    rows = [_row(key, use, facts, near, len(readers.everywhere)) for key, use in uses.items()]
    return frame(SECRET_EXPOSURE.sorted(SECRET_EXPOSURE.arrow(rows)))


_USE: dict[str, Any] = {"of_workload": False, "pods": 0, "outdated": False}
_UNKNOWN: dict[str, Any] = {
    "purpose": "",
    "manager": "",
    "managed": False,
    "age_days": None,
    "changed_at": None,
}
_FACTS = tuple(_UNKNOWN)
_OF_REFERENCES = (
    *("secret_namespace", "secret", "kind", "namespace", "name", "raw", "raw_line", "way"),
    *("of_workload", "pods", "fixed", "started_at"),
)
_OF_MANAGEMENT = ("namespace", "name", "raw", "raw_line", "purpose", "manager", "managed")


def _row(
    key: tuple[str, ...],
    use: dict[str, Any],
    facts: dict[tuple[str, ...], dict[str, Any]],
    near: dict[tuple[str, ...], list[str]],
    everywhere: int,
) -> SecretExposureRow:
    namespace, name, kind, home, user = key
    fact = facts.get((namespace, name), _UNKNOWN)
    ways = sorted(use["ways"])
    return SecretExposureRow(
        raw=use["raw"],
        raw_line=use["raw_line"],
        namespace=namespace,
        name=name,
        known=(namespace, name) in facts,
        user_kind=kind,
        user_namespace=home,
        user_name=user,
        of_workload=use["of_workload"],
        ways=ways,
        in_environment=not {"env", "envFrom"}.isdisjoint(ways),
        pods=use["pods"],
        readers=everywhere + len(near[namespace, name]),
        cluster_readers=everywhere,
        near_readers=near[namespace, name],
        outdated=use["outdated"],
        **{column: fact[column] for column in _FACTS},
    )


def _facts(
    management: pd.DataFrame, ages: pd.DataFrame, secrets: pd.DataFrame
) -> dict[tuple[str, ...], dict[str, Any]]:
    """What is known of each Secret, by namespace and name."""
    found = {(r["namespace"], r["name"]): r for r in records(management, *_OF_MANAGEMENT)}
    for r in records(ages, "namespace", "name", "age_days"):
        found[r["namespace"], r["name"]]["age_days"] = r["age_days"]
    for r in records(secrets, "namespace", "name", "changed_at", "created_at"):
        found[r["namespace"], r["name"]]["changed_at"] = r["changed_at"] or r["created_at"]
    return found  # type: ignore[return-value]  # two names are two names
