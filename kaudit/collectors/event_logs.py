"""Files of events: how much of each was understood."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.model.place import Place
from kaudit.model.runtime_event import Log
from kaudit.registry import Read, collector
from kaudit.table import Row
from kaudit.tables.events import EVENT_LOGS, EventLogRow


@collector(
    Read.of("falco", "Log", "logs", Log),
    Read.of("tetragon", "Log", "logs", Log),
    Read.of("kubernetes-audit", "Log", "logs", Log),
    tables=(EVENT_LOGS,),
)
def event_logs(found: Log, at: Place) -> Iterator[Row]:
    """Yield one file, once for each sensor that speaks in it."""
    yield EventLogRow(
        raw=at.raw,
        raw_line=at.line,
        sensor=at.group,
        report=found.report,
        events=found.events,
        first_at=found.first,
        last_at=found.last,
        broken=found.broken,
        other=found.other,
        undated=found.undated,
        unknown_priorities=found.unknown_priorities,
        folded=found.folded,
        nodes=found.nodes,
    )
