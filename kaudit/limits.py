"""What the gaps of the evidence take away from one control.

The rules, which a test takes through every table:

* a failed read of the subject voids the control, or adds a ``not_assessed`` row where the
  read is narrower than the table; resources that what was not read may have been reported
  under (pods and the templates of their controllers are one resource) neither pass then nor
  are *not applicable*, and nothing passes where the control compares resources with each other;
* rows that a view gathers from several tables stand without those of one that was not read, the
  first too, which is a ``not_assessed`` row;
* where a view finds its rows through another table, what was not read of it is such a row too:
  none is not that there is nothing;
* a failed read of another needed table makes the rows in its scope ``not_assessed``; where
  the control calls that table weak, only what would fail, where it says that the table hides
  faults, only what would pass, and where some passes rest on it, only those; where rows name what
  of it decides them, only rows that name what was not read;
* nothing in its scope is *not applicable*, but where the view says of the column that other tables
  decide it, or none;
* what is said beyond the namespace of the object that says it is missed everywhere;
* an image that could not be scanned costs no other image; what rests on images and says what
  null means knows by itself of which nothing is known;
* a source that simply does not speak of a needed table cannot prove a pass, unless the control
  names the table in one of these ways, and tells nothing of rows that look for something there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from kaudit import registry
from kaudit.model.homonyms import KNATIVE
from kaudit.model.words import Gap
from kaudit.registry import Control


class Affected(msgspec.Struct, frozen=True):
    """One narrower thing that could not be read: a row of its own in the results."""

    kind: str
    namespace: str
    name: str
    reason: str


class Doubt(msgspec.Struct, frozen=True):
    """Why statuses of existing rows cannot stand, and for which.

    ``namespace``, ``kinds`` and ``names`` narrow the resources, empty means all; ``fails``
    and ``passes`` tell which statuses are doubted, ``others`` that it is not known what the
    control does not apply to. ``column`` narrows to rows whose list there holds any of ``texts``;
    without texts, anything.
    """

    reason: str
    namespace: str = ""
    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    fails: bool = True
    passes: bool = True
    others: bool = False
    column: str = ""
    texts: tuple[str, ...] = ()


class Limits(msgspec.Struct):
    """All that gaps do to one control."""

    void: str = ""
    untold: str = ""
    affected: list[Affected] = []
    doubts: list[Doubt] = []


def said(gap: Gap) -> str:
    """Return the gap as a reason: what, why, and what was said."""
    return f"{gap.what}: {gap.reason.replace('_', ' ')}" + (
        f" ({gap.detail})" if gap.detail else ""
    )


def limits(control: Control, gaps: Sequence[Gap]) -> Limits:
    """Work out what the gaps take away from a control."""
    subject = registry.subject_table(control.subject)
    gathered = registry.gathered_tables(control.subject)
    joined = registry.joined_tables(control.subject)
    deciding = registry.deciding_tables(control)
    needed = {*registry.base_tables(control.subject, *control.needs)}
    needed |= {*control.weak, *control.hides, *_undoing(control), *control.named_by}
    found = Limits()
    for gap in gaps:
        touched = (needed | joined | deciding).intersection(gap.tables)
        if not touched:
            continue
        if subject in touched:
            _of_subject(found, gap, subject, control)
            continue
        if not touched.isdisjoint(gathered):
            _of_gathered(found, gap, control)
        if others := touched - gathered:
            _of_other(found, gap, control, others & needed)
            _of_applying(found, gap, control, others & deciding)
            if gap.failed and not others.isdisjoint(joined):
                found.affected.append(_affected(gap))
            if gap.failed and not _feeders(subject):  # a fact of the evidence: no read makes it
                found.untold = found.untold or said(gap)
    return found


def _affected(gap: Gap) -> Affected:
    return Affected(gap.kind, gap.namespace, gap.name, said(gap))


def _of_subject(found: Limits, gap: Gap, subject: str, control: Control) -> None:
    gathered = registry.gathered_tables(control.subject)
    if not gap.failed:
        found.untold = found.untold or said(gap)
    elif gap.whole and _feeders(subject) <= {gap.kind, ""} and not gathered:
        found.void = found.void or said(gap)
    else:
        found.affected.append(_affected(gap))
        if control.compares:
            found.doubts.append(Doubt(said(gap), fails=False))
        found.doubts.append(
            Doubt(
                said(gap),
                namespace=gap.namespace,
                kinds=_OWNERS.get(gap.kind, (gap.kind,)),
                names=_begun(gap.name),
                fails=False,
                others=True,
            )
        )
        if subject in registry.deciding_tables(control):  # for any row, not for its own alone
            found.doubts.append(Doubt(said(gap), fails=False, passes=False, others=True))
        if gathered and subject in control.named_by:
            _of_named(found, gap, control, subject)


def _of_gathered(found: Limits, gap: Gap, control: Control) -> None:
    if not gap.failed:
        found.untold = found.untold or said(gap)
        return
    found.affected.append(_affected(gap))
    if control.compares:
        found.doubts.append(Doubt(said(gap), fails=False))


#: Kinds of resources that objects of a kind may be reported under: pods under whatever made
#: them, and what makes pods under its own controller.
_OWNERS = {
    "": (),
    "Pod": (),
    "ReplicaSet": ("ReplicaSet", "Deployment", "Rollout", *KNATIVE),
    "Deployment": ("Deployment", "Rollout", *KNATIVE),
    **dict.fromkeys(KNATIVE, KNATIVE),
    "ReplicationController": ("ReplicationController", "DeploymentConfig"),
    "Job": ("Job", "CronJob"),
}


def _begun(name: str) -> tuple[str, ...]:
    """Names that an object of this name may be reported under: controllers add to their own.

    >>> _begun("web-6d4cf56db6-x7k2p")
    ('web-6d4cf56db6-x7k2p', 'web-6d4cf56db6', 'web')
    """
    found = [name]
    while "-" in found[-1]:
        found.append(found[-1].rpartition("-")[0])
    return tuple(part for part in found if part)


def _of_other(found: Limits, gap: Gap, control: Control, touched: set[str]) -> None:
    named = touched & {*control.named_by}
    if not gap.failed:
        known = {*control.weak, *control.hides, *_undoing(control)}
        if not touched <= known:
            found.doubts.append(Doubt(said(gap), fails=False))
        _of_missing(found, gap, control, touched)
        return
    for table in sorted(named):
        _of_named(found, gap, control, table)
    touched = touched - named
    if not touched:
        return
    fails, passes = _doubted(control, touched)
    doubt = _within(Doubt(said(gap), fails=fails, passes=passes), gap, control, touched)
    if not passes:
        found.doubts += [
            Doubt(
                said(gap),
                namespace=doubt.namespace,
                fails=False,
                column=control.rests_on,
                texts=(text,),
            )
            for text, tables in control.undoes.items()
            if not touched.isdisjoint(tables)
        ]
    if not (doubt.names == () and gap.kind == "Image" and gap.name and control.null and passes):
        found.doubts.append(doubt)


def _of_missing(found: Limits, gap: Gap, control: Control, touched: set[str]) -> None:
    """Doubt rows that look for something in tables of which a source does not speak."""
    view, kinds = registry.VIEWS.get(control.subject), (gap.kind,) if gap.kind else ()
    found.doubts += [
        Doubt(said(gap), others=True, column=column, texts=kinds)
        for column, tables in (view.missing if view else {}).items()
        if not (touched - {*control.weak}).isdisjoint(tables)
    ]


def _of_named(found: Limits, gap: Gap, control: Control, table: str) -> None:
    fails, passes = _doubted(control, {table})
    found.doubts.append(
        Doubt(
            said(gap),
            namespace=reach(gap, {table}),
            fails=fails,
            passes=passes,
            column=control.named_by[table],
            texts=(gap.name, "*") if gap.name else (),
        )
    )


def _of_applying(found: Limits, gap: Gap, control: Control, touched: set[str]) -> None:
    if gap.failed and touched:
        doubt = Doubt(said(gap), fails=False, passes=False, others=True)
        found.doubts.append(_within(doubt, gap, control, touched))


def _within(doubt: Doubt, gap: Gap, control: Control, touched: set[str]) -> Doubt:
    """Narrow a doubt to what a gap in tables is about."""
    everywhere = control.compares or not touched.isdisjoint(control.against)
    doubt = msgspec.structs.replace(doubt, namespace="" if everywhere else reach(gap, touched))
    if gap.kind == "Image" and gap.name and registry.resource_of(control).kind == "=Image":
        doubt = msgspec.structs.replace(doubt, kinds=("Image",), names=(gap.name,))
    return doubt


def _doubted(control: Control, touched: set[str]) -> tuple[bool, bool]:
    """Whether a failed read of tables puts fails in doubt, and passes."""
    weak, hides, undoing = {*control.weak}, {*control.hides}, _undoing(control)
    fails = not touched <= (hides | undoing) - weak
    return fails, not touched <= (weak | undoing) - hides


def _undoing(control: Control) -> set[str]:
    return {name for tables in control.undoes.values() for name in tables}


def reach(gap: Gap, tables: Collection[str]) -> str:
    """Return the namespace that a gap in tables is of; empty: what they say may hold in any."""
    return "" if any(registry.TABLES[name].beyond for name in tables) else gap.namespace


def _feeders(table: str) -> set[str]:
    """Kinds that feed a collected table."""
    return {
        read.named
        for collector in registry.COLLECTORS.values()
        if any(t.name == table for t in collector.tables)
        for read in collector.reads
    }
