"""Dockerfiles with what their instructions do, gathered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, flags, gathered, series, text_is
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class DockerfilePostureRow(Trace, kw_only=True):
    report: Annotated[str, doc("stands for the file in every table")]
    file: Annotated[str, doc("file")]
    base: Annotated[str, doc("base of the last stage")]
    final_user: Annotated[str | None, doc("user of the last stage; null: none is set")] = None
    user_known: Annotated[bool, doc("False where the user is an argument without a default")]
    runs_as_root: Annotated[
        bool, doc("the user is root, or none is set and the base does not say that it has one")
    ]
    credentials: Annotated[list[str], doc("credentials in ARG, ENV, LABEL or RUN: line and name")]
    added_urls: Annotated[list[str], doc("ADD of a URL without checksum: line and URL")]
    pipes: Annotated[list[str], doc("what is fetched and run unseen: line and command")]
    sudo: Annotated[list[str], doc("sudo in what ships: line and command")]
    open_modes: Annotated[list[str], doc("files that all may write in what ships: line and mode")]
    unpinned_packages: Annotated[list[str], doc("packages without version in what ships: line")]
    audits: Annotated[list[str], doc("commands that look packages up in a database of flaws")]


DOCKERFILE_POSTURE = Table(
    "dockerfile_posture",
    DockerfilePostureRow,
    grain="one Dockerfile",
    key=("file", "report"),
    resource=Resource("=File", namespace="", name="file"),
)
#: Columns by the fact that they gather, and whether only what ships counts.
_GATHERED = {
    "credentials": ("credential", False),
    "added_urls": ("add_url", False),
    "pipes": ("pipe_to_shell", False),
    "sudo": ("sudo", True),
    "open_modes": ("open_mode", True),
    "unpinned_packages": ("unpinned_packages", True),
    "audits": ("audit", False),
}


@view(DOCKERFILE_POSTURE)
def dockerfile_posture(dockerfiles: pd.DataFrame, dockerfile_facts: pd.DataFrame) -> pd.DataFrame:
    """Gather the facts of each file; of earlier stages only what reaches beyond them."""
    import pyarrow.compute as pc

    d = dockerfiles
    if not len(d):
        return DOCKERFILE_POSTURE.empty()
    unset = series(pc.is_null(arrow(d["final_user"])), d)
    found: dict[str, Any] = {
        name: d[name]
        for name in ("raw", "raw_line", "report", "file", "base", "final_user", "user_known")
    }
    found["runs_as_root"] = flags(d["user_root"]) | (unset & ~flags(d["user_of_base"]))
    for name, (fact, shipped) in _GATHERED.items():
        chosen = text_is(dockerfile_facts["fact"], fact)
        chosen = chosen & dockerfile_facts["shipped"] if shipped else chosen
        rows = dockerfile_facts[chosen.to_numpy(dtype=bool)]
        found[name] = gathered(rows["report"], _told(rows), d["report"])
    return assembled(d, found, DOCKERFILE_POSTURE.names)


def _told(rows: pd.DataFrame) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    line = pc.cast(arrow(rows["line"]), pa.string())
    return pc.binary_join_element_wise("line ", line, ": ", arrow(rows["detail"]), "")
