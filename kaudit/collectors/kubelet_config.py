"""Configuration of kubelets: files of nodes, what configz tells, and what kubeadm declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from kaudit.errors import InputError
from kaudit.model import kubelet_config as config
from kaudit.model.configuration import ConfigMap
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Resource, Row, Table, Trace, doc


class KubeletConfigRow(Trace, kw_only=True):
    kind: Annotated[str, doc("KubeletConfiguration, or ConfigMap where kubeadm declares it")]
    namespace: Annotated[str, doc("namespace of the ConfigMap; empty for a file")] = ""
    report: Annotated[str, doc("stands for the file in every table; empty for a ConfigMap")] = ""
    file: Annotated[str, doc("file; name of the ConfigMap")]
    declared: Annotated[bool, doc("what kubeadm tells nodes that join: no kubelet has told it")]
    effective: Annotated[bool, doc("told by configz: flags and defaults are in it")]
    open: Annotated[
        list[str], doc("settings that let in whoever is not known and allowed, as written")
    ]
    soft: Annotated[list[str], doc("settings that the CIS benchmark does not want so, as written")]


KUBELET_CONFIGS = Table(
    "kubelet_configs",
    KubeletConfigRow,
    grain="one configuration of a kubelet",
    key=("kind", "namespace", "file", "report"),
    resource=Resource("kind", name="file"),
    every_kind=True,
)
_KIND = re.compile(rb'(?<!\\)"kind"\s*:\s*"KubeletConfiguration"')
_EDGE = 1 << 16


def _recognise(content: Content) -> bool:
    if content.shape == "object":
        keys = content.keys
        return keys == {config.CONFIGZ} or (
            "metadata" not in keys and bool(_KIND.search(content.data[:_EDGE]))
        )
    return content.kind == config.KIND and config.API.encode() in content.data[:_EDGE]


@tool(
    "kubelet",
    title="Kubelet",
    help="KubeletConfiguration of a node, or what its configz endpoint tells (JSON).",
    recognise=_recognise,
    kinds=(config.KIND,),
)
def take_kubelet(content: Content) -> Iterator[Taken]:
    """Take out the settings that are judged."""
    try:
        kept = config.reduced(content.document())
    except TypeError as fault:
        raise InputError(f"is no configuration of a kubelet: {fault}") from None
    record = {"report": content.report, "file": content.name, **kept}
    yield Taken(config.KIND, msgspec.json.encode(record), 1)


@collector(
    Read.of("kubelet", config.KIND, "kubeletconfigurations", config.Found),
    tables=(KUBELET_CONFIGS,),
)
def kubelet_configs(found: config.Found, at: Place) -> Iterator[Row]:
    """Yield what a kubelet was told."""
    yield KubeletConfigRow(
        raw=at.raw,
        raw_line=at.line,
        kind=config.KIND,
        report=found.report,
        file=found.file,
        declared=False,
        effective=found.effective,
        open=found.settings.open,
        soft=found.settings.soft(effective=found.effective),
    )


@collector(Read("", "ConfigMap", "configmaps", ConfigMap), tables=(KUBELET_CONFIGS,))
def declared_kubelet_configs(found: ConfigMap, at: Place) -> Iterator[Row]:
    """Yield what kubeadm declares."""
    for key, _, value in found.judged:
        if value.kubelet is not None and config.is_declaration(at.namespace, at.name, key):
            yield KubeletConfigRow(
                raw=at.raw,
                raw_line=at.line,
                kind=at.kind,
                namespace=at.namespace,
                file=at.name,
                declared=True,
                effective=False,
                open=value.kubelet.open,
                soft=value.kubelet.soft(effective=False),
            )
