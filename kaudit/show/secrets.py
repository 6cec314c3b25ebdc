"""The secrets layer in reports: stores, freshness, who keeps Secrets, who holds and reads them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kaudit.assessment import Assessment
from kaudit.columns import records
from kaudit.show import blocks as b
from kaudit.show import charts
from kaudit.show.secret_pictures import Fetched, Path, freshness, paths
from kaudit.text import count

if TYPE_CHECKING:
    import pandas as pd

#: Rows that a report prints of each table; all are in the annex.
PRINTED = 15


def secrets(assessment: Assessment) -> b.Stack:
    """All sections of the layer, as far as the evidence goes."""
    parts: list[b.Block] = []
    for section in (secret_stores, fetched_secrets, kept_secrets, held_secrets, secret_readers):
        parts += section(assessment).blocks
    return b.Stack(tuple(parts))


def secret_stores(assessment: Assessment) -> b.Stack:
    """Stores: ready, of whom, and how they log in."""
    evidence = assessment.evidence
    stores = evidence["store_scope"].merge(
        evidence["secret_stores"][["raw", "raw_line", "ready", "reason"]], on=["raw", "raw_line"]
    )
    if not len(stores):
        text = "Neither SecretStores nor ClusterSecretStores were seen."
        return b.Stack((b.Callout(b.Tone.INFO, "No secret store is in the evidence", text),))
    ready, unready = (int((stores["ready"] == value).sum()) for value in (True, False))
    open_, static = int(stores["open"].sum()), int(stores["static"].sum())
    numbers = b.Numbers(
        (
            b.Number("secret stores", len(stores), ", ".join(sorted(set(stores["provider"])))),
            b.Number("ready", ready, "say their controllers", _good(ready == len(stores))),
            b.Number("not ready", unready, "nothing is refreshed", b.Tone.of(unready)),
            b.Number("open to every namespace", open_, "without conditions", b.Tone.of(open_)),
            b.Number("static login", static, "a credential in the cluster", b.Tone.of(static)),
        ),
        caption="Secret stores",
    )
    order = ["ready", "kind", "namespace", "name"]
    shown = stores.sort_values(order, na_position="first").assign(
        store=stores["namespace"].where(stores["namespace"] != "", "(cluster)")
        + "/"
        + stores["name"]
    )
    table = b.Table.of_frame(
        "Secret stores",
        shown.head(PRINTED),
        {
            "store": b.Column("store", weight=2),
            "provider": "provider",
            "auth": "login",
            "secrets": b.Column("with", weight=2),
            "open": "open to all",
            "ready": "ready",
            "reason": "reason",
        },
        total=len(stores),
    )
    return b.Stack((numbers, table))


def _good(whole: bool) -> b.Tone:
    return b.Tone.OK if whole else b.Tone.WARNING


def fetched_secrets(assessment: Assessment) -> b.Stack:
    """What is fetched: whether it arrived, and when it was last refreshed."""
    sync = assessment.evidence["external_secret_sync"]
    if not len(sync):
        return b.Stack((b.Callout(b.Tone.INFO, "No ExternalSecret is in the evidence"),))
    asked = assessment.evidence["external_secrets"][["raw", "raw_line", "refresh_seconds"]]
    sync = sync.merge(asked, on=["raw", "raw_line"])
    failing = int((~sync["ready"].fillna(True)).sum())
    stale = int(sync["overdue"].fillna(False).sum())
    never = int((~sync["periodic"] & ~sync["generated"]).sum())
    numbers = b.Numbers(
        (
            b.Number("ExternalSecrets", len(sync), "and those of the whole cluster"),
            b.Number("failing", failing, "condition Ready is False", b.Tone.of(failing)),
            b.Number("stale", stale, "three intervals missed", b.Tone.of(stale)),
            b.Number("never refreshed again", never, "by their settings", b.Tone.of(never)),
        ),
        caption="What is fetched from stores",
    )
    rows = sorted(
        records(sync), key=lambda r: (-(r["age_seconds"] or 0), r["namespace"], r["name"])
    )
    picture = freshness(
        [_fetched(row) for row in rows],
        caption="Last refresh of each ExternalSecret; the mark is when it was due at the latest",
    )
    bad = sync[
        ~sync["ready"].fillna(True)
        | sync["overdue"].fillna(False)
        | (sync["store_state"] == "missing")
    ]
    if not len(bad):
        text = "Every ExternalSecret is ready and fresh, as far as is told"
        return b.Stack((numbers, picture, b.Callout(b.Tone.OK, text)))
    table = b.Table.of_frame(
        "ExternalSecrets that need a look",
        bad.sort_values(["namespace", "name"]).head(PRINTED),
        {
            "namespace": "namespace",
            "name": b.Column("name", weight=1.5),
            "store": b.Column("store", weight=1.5),
            "store_state": "store is",
            "ready": "ready",
            "reason": "reason",
            "refresh_interval": "every",
            "refreshed_at": ("last refresh", "time"),
            "target_state": "its Secret",
        },
        total=len(bad),
        annex="tables/external_secrets.csv",
    )
    return b.Stack((numbers, picture, table))


def _fetched(row: dict[str, Any]) -> Fetched:
    status = {True: "fail", False: "pass", None: "not_assessed"}[row["overdue"]]
    limit = 3 * row["refresh_seconds"] + 900 if row["periodic"] and row["refresh_seconds"] else None
    every = f"every {row['refresh_interval']}" if row["periodic"] else "never again"
    name = f"{row['namespace']}/{row['name']}" if row["namespace"] else row["name"]
    return Fetched(
        name, row["age_seconds"], every, limit, "fail" if row["ready"] is False else status
    )


def kept_secrets(assessment: Assessment) -> b.Stack:
    """Secrets by who keeps them, and those that nobody does."""
    kept = assessment.evidence["secret_management"]
    if not len(kept):
        text = (
            "They were not read: --secrets metadata lets a live cluster be asked for their names."
        )
        return b.Stack((b.Callout(b.Tone.INFO, "No Secret is in the evidence", text),))
    own = kept[kept["credential"]]
    managers = Counter(name or "nobody" for name in own["manager"])
    ordered = dict(sorted(managers.items(), key=lambda pair: (-pair[1], pair[0])))
    picture = charts.bars(
        ordered,
        caption="Secrets with credentials, by who keeps them",
        unit="Secrets",
        colours={name: "fail" if name == "nobody" else "pass" for name in ordered},
    )
    bare = own[~own["managed"]].merge(
        assessment.evidence["secret_ages"][["raw", "raw_line", "age_days", "old"]],
        on=["raw", "raw_line"],
    )
    usage = assessment.evidence["secret_usage"][["raw", "raw_line", "users", "unused"]]
    bare = bare.merge(usage, on=["raw", "raw_line"])
    others = count(len(kept) - len(own), "Secret")
    note = (
        f"{others} hold tokens, records of tools or certificates of webhooks, and are not counted."
    )
    if not len(bare):
        return b.Stack((picture, b.Callout(b.Tone.OK, "Somebody keeps every Secret", note)))
    table = b.Table.of_frame(
        "Secrets that nobody is known to keep, oldest first",
        bare.sort_values(["age_days", "namespace", "name"], ascending=[False, True, True]).head(
            PRINTED
        ),
        {
            "namespace": "namespace",
            "name": b.Column("name", weight=1.5),
            "purpose": "purpose",
            "age_days": ("days old", "number"),
            "old": "too old",
            "users": b.Column("named by", weight=2.5),
            "unused": "unused",
        },
        total=len(bare),
        annex="tables/secrets.csv",
        note=note,
    )
    return b.Stack((picture, table))


_MEANS = {
    "fail": "holds an old value",
    "medium": "in its environment",
    "pass": "in a file, or to pull",
}


def held_secrets(assessment: Assessment) -> b.Stack:
    """Which workload holds which Secret, how, and who else can read it."""
    found = assessment.evidence["secret_exposure"]
    held = found[found["of_workload"]]
    if not len(held):
        return b.Stack((b.Callout(b.Tone.INFO, "No workload holds a Secret, as far as is known"),))
    held = held.assign(
        rank=held["outdated"].astype(int) * 2 + held["in_environment"].astype(int),
        holder=held["user_kind"] + "/" + held["user_name"],
        secret=held["namespace"] + "/" + held["name"],
        keeper=held["manager"]
        .where(held["manager"] != "", "nobody")
        .where(held["known"], "not seen"),
    ).sort_values(
        ["rank", "pods", "namespace", "name", "user_name"],
        ascending=[False, False, True, True, True],
    )
    picture = paths(
        [
            Path(r["keeper"], r["secret"], f"{r['user_namespace']}/{r['user_name']}", _status(r))
            for r in records(held[[*_OF_PATH]])
        ],
        caption="From who keeps a Secret to the workloads that hold it",
        names=_MEANS,
    )
    table = b.Table.of_frame(
        "Secrets in workloads: those with an old value first, then those in environments",
        held.head(PRINTED),
        {
            "secret": b.Column("Secret", weight=2),
            "keeper": b.Column("kept by", weight=1.3),
            "holder": b.Column("held by", weight=2),
            "ways": b.Column("how", weight=1.2),
            "pods": ("pods", "number"),
            "outdated": "old value",
            "readers": ("readers", "number"),
        },
        total=len(held),
        annex="tables/secret_exposure.csv",
        note="Readers are subjects that RBAC lets read the Secret, without those of Kubernetes "
        "itself; who may create pods beside it reads it too.",
    )
    return b.Stack((picture, table))


_OF_PATH = ("keeper", "secret", "user_namespace", "user_name", "outdated", "in_environment")


def _status(row: dict[str, Any]) -> str:
    if row["outdated"]:
        return "fail"
    return "medium" if row["in_environment"] else "pass"


def secret_readers(assessment: Assessment) -> b.Stack:
    """Who can read which Secrets, the widest rights first."""
    readers = assessment.evidence["secret_readers"]
    readers = readers[readers["judged"]]
    if not len(readers):
        if not len(assessment.evidence["rbac_bindings"]):
            text = "No binding of RBAC is in the evidence: who can read Secrets is not known."
            return b.Stack((b.Callout(b.Tone.INFO, "Readers are not known", text),))
        text = "No binding lets anybody read Secrets, but those of Kubernetes itself"
        return b.Stack((b.Callout(b.Tone.OK, text),))
    wide = readers["whole"].astype(int) * 2 + (readers["namespace"] == "").astype(int)
    shown = readers.assign(
        rank=wide,
        where=readers["namespace"].where(readers["namespace"] != "", "(all)"),
        what=_what(readers),
    ).sort_values(["rank", "namespace", "subject"], ascending=[False, True, True])
    table = b.Table.of_frame(
        "Who can read Secrets, the widest rights first",
        shown.head(PRINTED),
        {
            "subject_kind": "kind",
            "subject": b.Column("subject", weight=2),
            "where": "namespace",
            "what": b.Column("Secrets", weight=1.5),
            "admin": "administrator",
            "role": b.Column("by role", weight=1.5),
            "binding": b.Column("binding", weight=1.5),
        },
        total=len(shown),
        annex="tables/secret_readers.csv",
    )
    reach = assessment.evidence["secret_reach"]
    over = reach[reach["exceeds"]].drop_duplicates(["namespace", "owner_kind", "owner_name"])
    if not len(over):
        text = "No workload is seen to read more than it uses"
        return b.Stack((table, b.Callout(b.Tone.INFO, text)))
    return b.Stack(
        (
            table,
            b.Table.of_frame(
                "Workloads that can read Secrets which they do not use",
                over.sort_values(["namespace", "owner_name"]).head(PRINTED),
                {
                    "namespace": "namespace",
                    "owner_kind": "kind",
                    "owner_name": b.Column("name", weight=1.5),
                    "service_account": "account",
                    "reach": "reaches",
                    "surplus": b.Column("beyond its own", weight=2.5),
                },
                total=len(over),
            ),
        )
    )


def _what(readers: pd.DataFrame) -> list[str]:
    return [
        "all" if whole else ", ".join(names)
        for whole, names in zip(readers["whole"], readers["names"], strict=True)
    ]
