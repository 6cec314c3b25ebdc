"""The manifests of a scheduled audit as YAML."""

from __future__ import annotations

from typing import Any

import yaml

from kaudit.schedule.objects import objects
from kaudit.schedule.plan import Plan


class _Dumper(yaml.SafeDumper):
    """Indents lists, keeps those of plain values and texts' lines together, has no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    flow = not any(isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flow)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)


def manifest(plan: Plan) -> str:
    """Write the objects of a plan, one document each, for ``kubectl apply``.

    Raises
    ------
    InputError
        The plan has a part that would be refused, or would not work.
    """
    documents = []
    for remark, found in objects(plan.checked()):
        comment = "".join(f"# {line}\n" for line in remark.splitlines())
        text = yaml.dump(found, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
        documents.append(comment + text)
    return "---\n".join(documents)
