"""Configurations of kube-schedulers: files of nodes, and what ConfigMaps hold for those in pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from kaudit.errors import InputError
from kaudit.model import scheduler_config as config
from kaudit.model.configuration import ConfigMap
from kaudit.model.place import Place
from kaudit.model.taken import Content, Taken
from kaudit.registry import Read, collector, tool
from kaudit.table import Row, Table, doc
from kaudit.tables.held import HELD_KEY, HOLDER, Held


class SchedulerConfigRow(Held, kw_only=True):
    profiling: Annotated[bool, doc("profiles are offered: enableProfiling is not false")]
    fault: Annotated[str, doc("why it is not judged; empty: nothing is wrong with it")]


SCHEDULER_CONFIGS = Table(
    "scheduler_configs",
    SchedulerConfigRow,
    grain="one configuration of a kube-scheduler",
    key=HELD_KEY,
    resource=HOLDER,
    every_kind=True,
)
_KIND = re.compile(rb'(?<!\\)"kind"\s*:\s*"KubeSchedulerConfiguration"')
_EDGE = 1 << 16


def _recognise(content: Content) -> bool:
    start = content.data[:_EDGE]
    if config.API.encode() not in start:
        return False
    if content.shape == "object":
        return bool(_KIND.search(start)) and "metadata" not in content.keys
    return content.kind == config.KIND


@tool(
    "scheduler",
    title="Scheduler",
    help="KubeSchedulerConfiguration of a kube-scheduler.",
    recognise=_recognise,
    kinds=(config.KIND,),
)
def take_scheduler(content: Content) -> Iterator[Taken]:
    """Take out the settings that are judged."""
    try:
        found = config.settings(content.document())
    except TypeError as fault:
        raise InputError(f"is no configuration of a kube-scheduler: {fault}") from None
    record = config.Found(report=content.report, file=content.name, settings=found)
    yield Taken(config.KIND, msgspec.json.encode(record), 1)


@collector(
    Read.of("scheduler", config.KIND, "kubeschedulerconfigurations", config.Found),
    tables=(SCHEDULER_CONFIGS,),
)
def scheduler_config_files(found: config.Found, at: Place) -> Iterator[Row]:
    """Yield the settings of a file."""
    yield _row(found.settings, at, kind=config.KIND, name=found.file, report=found.report)


@collector(Read("", "ConfigMap", "configmaps", ConfigMap), tables=(SCHEDULER_CONFIGS,))
def scheduler_config_maps(found: ConfigMap, at: Place) -> Iterator[Row]:
    """Yield the settings that a ConfigMap holds."""
    for key, _, value in found.judged:
        if value.scheduler is not None:
            held = {"namespace": at.namespace, "name": at.name, "key": key}
            yield _row(value.scheduler, at, kind=at.kind, **held)


def _row(found: config.Settings, at: Place, **held: str) -> SchedulerConfigRow:
    return SchedulerConfigRow(
        raw=at.raw,
        raw_line=at.line,
        profiling=found.enable_profiling is not False,
        fault=found.fault,
        **held,
    )
