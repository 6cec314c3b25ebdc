"""Rules and settings of Falco, as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from kaudit.model import falco_condition
from kaudit.model.falco_rules import File
from kaudit.model.place import Place
from kaudit.model.runtime_event import priority, techniques
from kaudit.table import Resource, Row, Table, Trace, doc


class FalcoItemRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the ConfigMap; empty: a file")]
    config_map: Annotated[str, doc("ConfigMap; of a file its report")]
    kind: Annotated[str, doc("ConfigMap, or File")]
    file: Annotated[str, doc("key of the ConfigMap, or name in a values file")]
    position: Annotated[int, doc("place in the file, from 1")]
    item: Annotated[str, doc("rule, macro, list, or fault: what is none of them")]
    name: Annotated[str, doc("name; empty: a fault")]
    condition: Annotated[str | None, doc("condition as written")] = None
    macros: Annotated[list[str], doc("macros that the condition refers to")]
    words: Annotated[list[str], doc("words in its lists, which may be names of lists")]
    fields: Annotated[list[str], doc("fields that it asks for")]
    fault: Annotated[str, doc("what is wrong with it by itself; empty: nothing")]
    priority: Annotated[str | None, doc("priority in Falco's words; null: none, or unknown")] = None
    tags: Annotated[list[str], doc("tags")]
    techniques: Annotated[list[str], doc("techniques of ATT&CK among the tags")]
    source: Annotated[str | None, doc("source of events; null: system calls")] = None
    enabled: Annotated[bool | None, doc("enabled as written")] = None
    appends: Annotated[bool, doc("adds to what a file before it says (append: true)")]
    overrides: Annotated[list[str], doc("key=how of its override")]
    items: Annotated[list[str], doc("items of a list")]
    exceptions: Annotated[list[str], doc("names of its exceptions")]


class FalcoSettingRow(Trace, kw_only=True):
    namespace: Annotated[str, doc("namespace of the ConfigMap; empty: a file")]
    config_map: Annotated[str, doc("ConfigMap; of a file its report")]
    kind: Annotated[str, doc("ConfigMap, or File")]
    file: Annotated[str, doc("key of the ConfigMap")]
    rules_files: Annotated[list[str], doc("files of rules that it loads, in their order")]
    priority: Annotated[str | None, doc("least priority of rules that load; null: not said")] = None
    outputs: Annotated[list[str], doc("outputs that are on, sorted")]
    outputs_told: Annotated[bool, doc("it says of any output whether it is on")]
    http_host: Annotated[str | None, doc("host that alerts are sent to by HTTP")] = None
    json_output: Annotated[bool | None, doc("alerts are JSON; null: not said")] = None
    metrics: Annotated[bool | None, doc("metrics, drops among them, are told")] = None
    disabled: Annotated[list[str], doc("what it switches off: rule=NAME, tag=NAME")]
    enabled: Annotated[list[str], doc("what it switches on again")]


FALCO_ITEMS = Table(
    "falco_items",
    FalcoItemRow,
    grain="one rule, macro or list of Falco as it is written",
    key=("namespace", "config_map", "file", "position"),
    resource=Resource("kind", name="config_map"),
)
FALCO_SETTINGS = Table(
    "falco_settings",
    FalcoSettingRow,
    grain="one falco.yaml",
    key=("namespace", "config_map", "file"),
    resource=Resource("kind", name="config_map"),
)


def rows_of(found: File, file: str, at: Place, *, report: str = "") -> Iterator[Row]:
    """Yield the rows of one file, of a ConfigMap or of a tool's file."""
    named: dict[str, Any] = {
        "raw": at.raw,
        "raw_line": at.line,
        "namespace": at.namespace,
        "config_map": report or at.name,
        "kind": "File" if report else "ConfigMap",
        "file": file,
    }
    for position, item in enumerate(found.items or (), start=1):
        read = falco_condition.Condition()
        if item.condition is not None:
            adds = item.append or (item.override or {}).get("condition") == "append"
            read = falco_condition.read(item.condition, adds=adds)
        tags = item.tags or []
        yield FalcoItemRow(
            **named,
            position=position,
            item=item.kind,
            name=item.name,
            condition=item.condition,
            macros=list(read.macros),
            words=list(read.words),
            fields=list(read.fields),
            fault=item.fault or read.fault,
            priority=priority(item.priority) if item.priority else None,
            tags=tags,
            techniques=techniques(tags),
            source=item.source,
            enabled=item.enabled,
            appends=item.append,
            overrides=sorted(f"{k}={v}" for k, v in (item.override or {}).items()),
            items=item.items or [],
            exceptions=item.exceptions or [],
        )
    if (said := found.settings) is not None:
        yield FalcoSettingRow(
            **named,
            rules_files=said.rules_files or [],
            priority=priority(said.priority) if said.priority else None,
            outputs=sorted(name for name, on in said.outputs.items() if on),
            outputs_told=any(on is not None for on in said.outputs.values()),
            http_host=said.http_host,
            json_output=said.json_output,
            metrics=said.metrics,
            disabled=said.disabled or [],
            enabled=said.enabled or [],
        )
