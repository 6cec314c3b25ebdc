"""Rules and settings of Falco: in ConfigMaps, in values files of its chart, and by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kaudit.errors import InputError
from kaudit.model import falco_rules
from kaudit.model.configuration import ConfigMap
from kaudit.model.place import Place
from kaudit.model.taken import Content, Lost, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row
from kaudit.tables.falco import FALCO_ITEMS, FALCO_SETTINGS, rows_of


class FoundFile(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Record of one file of rules."""

    report: str
    name: str
    file: falco_rules.File


#: A list of rules and nothing around it: other YAML may have keys of the same names.
_ALONE = re.compile(r"^- (?:rule|macro|required_engine_version):", re.MULTILINE)


def _recognise(content: Content) -> bool:
    if content.shape not in ("text", "list"):
        return False
    start = content.data[: 1 << 16].decode("utf-8", "replace")
    if falco_rules.is_values(start):
        return True
    return bool(_ALONE.search(start)) and "apiVersion" not in start


@tool(
    "falco-rules",
    title="Falco rules",
    help="Rules of Falco: rules files, and values files of its chart with customRules.",
    recognise=_recognise,
)
def take_falco_rules(content: Content) -> Iterator[Taken | Lost]:
    """Take each file of rules out."""
    text = content.whole.decode("utf-8", "replace")
    files = falco_rules.custom_rules(text) if falco_rules.is_values(text) else {content.name: text}
    some = False
    for number, (name, one) in enumerate(files.items(), start=1):
        found = falco_rules.File(items=list(falco_rules.items(one)))
        some = some or any(item.kind != "fault" for item in found.items or ())
        record = FoundFile(report=content.report, name=name, file=found)
        yield Taken("File", msgspec.json.encode(record), number)
    if not some:
        raise InputError("holds no rule, macro or list of Falco")


@collector(Read.of("falco-rules", "File", "files", FoundFile), tables=(FALCO_ITEMS, FALCO_SETTINGS))
def falco_rules_files(found: FoundFile, at: Place) -> Iterator[Row]:
    """Yield the items of a file."""
    yield from rows_of(found.file, found.name, at, report=found.report)


@collector(Read("", "ConfigMap", "configmaps", ConfigMap), tables=(FALCO_ITEMS, FALCO_SETTINGS))
def falco_config_maps(found: ConfigMap, at: Place) -> Iterator[Row]:
    """Yield the items and the settings of a ConfigMap that holds some of Falco's."""
    for key, _, value in found.judged:
        if value.falco is not None:
            yield from rows_of(value.falco, key, at)
