"""What is known of where each image comes from: signatures, provenance, bills of materials.

A signature and an attestation are of a digest, and of no other (sigstore/cosign,
``specs/SIGNATURE_SPEC.md``; in-toto attestation framework, v1). For an image of several
platforms they are of its index, which is what nodes and references name.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, sorted_lists
from kaudit.parameters import parameters
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class ImageTrustRow(Trace, kw_only=True):
    image: Annotated[str, doc("the image (images)")]
    running: Annotated[bool, doc("a Pod object uses it; else templates would")]
    judged: Annotated[bool, doc("it runs, or nothing does in the evidence")]
    workloads: Annotated[int, doc("workloads that use it")]
    pods: Annotated[int, doc("pods that use it")]
    signed: Annotated[
        bool | None, doc("a verification found a signature of its digest; null: none was tried")
    ] = None
    signers: Annotated[list[str], doc("identities and keys of verified signatures, sorted")]
    accepted: Annotated[
        bool | None, doc("one of the signers is among accepted_signers; null: cannot be told")
    ] = None
    failures: Annotated[list[str], doc("why verifications failed, sorted")]
    logged: Annotated[bool | None, doc("a verified signature is in a transparency log")] = None
    attested: Annotated[bool, doc("the evidence holds an attestation of any image")]
    provenance: Annotated[bool, doc("there is provenance of its digest")]
    builders: Annotated[list[str], doc("builders that the provenance names, sorted")]
    sources: Annotated[list[str], doc("sources that the provenance names, sorted")]
    built_by_accepted: Annotated[
        bool | None, doc("a builder is among accepted_builders; null: no provenance")
    ] = None


IMAGE_TRUST = Table(
    "image_trust",
    ImageTrustRow,
    grain="one image, and what is known of where it comes from",
    key=("image",),
    resource=Resource("=Image", namespace="", name="image"),
)
_USES = ("image", "running", "judged", "workloads", "pods", "raw", "raw_line")
#: Types of predicate that say how something was built (SLSA, all versions; in-toto links).
_PROVENANCE = r"slsa\.dev/provenance|slsaprovenance|in-toto\.io/provenance|gcb"


@view(IMAGE_TRUST, naming=("attestations",), decided={"judged": ("containers",)})
def image_trust(
    images: pd.DataFrame, signatures: pd.DataFrame, attestations: pd.DataFrame
) -> pd.DataFrame:
    """Bring signatures and attestations to the images of their digests."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digest = arrow(images["digest"])
    chosen = parameters()
    found: dict[str, Any] = {name: arrow(images[name]) for name in _USES}
    s = _of(signatures, _signed(signatures), digest)
    found["signed"] = s["verified_max"]
    found["signers"] = sorted_lists(s["who_distinct"])
    found["failures"] = sorted_lists(s["reason_distinct"])
    found["logged"] = s["logged_max"]
    found["accepted"] = _among(found["signers"], found["signed"], chosen.accepted_signers)
    p = _of(attestations, _built(attestations), digest)
    some = pc.fill_null(p["provenance_max"], False)
    found["attested"] = pa.repeat(bool(len(attestations)), len(images))
    found["provenance"] = some
    found["builders"] = sorted_lists(p["builder_distinct"])
    found["sources"] = sorted_lists(p["source_distinct"])
    any_builder = chosen.accepted_builders or ("*",)
    found["built_by_accepted"] = _among(found["builders"], some, any_builder)
    return frame(IMAGE_TRUST.fitted(found))


def _signed(s: pd.DataFrame) -> dict[str, pa.Array]:
    """Whose each verified signature is, and why the others failed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    good = pc.fill_null(arrow(s["verified"]), False)
    who = pc.coalesce(arrow(s["subject"]), arrow(s["key"]), arrow(s["method"]))
    bad = pc.equal(arrow(s["verified"]), False)
    logged = pc.or_(pc.is_valid(arrow(s["log_index"])), pc.is_valid(arrow(s["integrated_at"])))
    text, flag = pa.scalar(None, pa.string()), pa.scalar(None, pa.bool_())
    return {
        "verified": arrow(s["verified"]),
        "who": pc.if_else(good, who, text),
        "reason": pc.if_else(bad, arrow(s["reason"]), text),
        "logged": pc.if_else(good, logged, flag),
    }


def _built(a: pd.DataFrame) -> dict[str, pa.Array]:
    """Builder and source of each attestation that is provenance, and did not fail."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pc.match_substring_regex(arrow(a["predicate_type"]), _PROVENANCE, ignore_case=True)
    good = pc.and_(kind, pc.fill_null(arrow(a["verified"]), True))
    text = pa.scalar(None, pa.string())
    return {
        "provenance": good,
        "builder": pc.if_else(good, arrow(a["builder_id"]), text),
        "source": pc.if_else(good, arrow(a["source_uri"]), text),
    }


def _digests(rows: pd.DataFrame) -> pa.Array:
    """Digest of each row, else the one in the reference that it is about."""
    import pyarrow.compute as pc

    about = arrow(rows["image" if "image" in rows else "subject"])
    named = pc.extract_regex(about, r"@(?P<digest>sha256:[0-9a-f]{64})$")
    return pc.coalesce(arrow(rows["digest"]), pc.struct_field(named, "digest"))


def _of(rows: pd.DataFrame, columns: dict[str, pa.Array], digest: pa.Array) -> pa.Table:
    """Sum columns up by digest, and bring them to the images in their order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table({"digest": _digests(rows), **columns})
    table = table.filter(pc.is_valid(table["digest"]))
    ways = [(n, "max" if pa.types.is_boolean(c.type) else "distinct") for n, c in columns.items()]
    sums = table.group_by("digest", use_threads=False).aggregate(ways)
    at = pc.index_in(digest, value_set=sums["digest"].combine_chunks())
    return sums.take(at)


def _among(lists: pa.Array, known: pa.ChunkedArray, accepted: tuple[str, ...]) -> pa.Array:
    """Whether a text of each list is accepted; null where none can be, or nothing is accepted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not accepted:
        return pa.nulls(len(lists), pa.bool_())
    named = [any(fnmatchcase(t, p) for t in texts for p in accepted) for texts in lists.to_pylist()]
    sure = pc.fill_null(known, False)
    return pc.if_else(sure, pa.array(named, pa.bool_()), pa.scalar(None, pa.bool_()))
