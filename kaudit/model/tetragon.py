"""Events of Tetragon as it exports them: one JSON object a line.

Source: cilium/tetragon, ``api/v1/tetragon/tetragon.proto`` and ``events.proto``. Arguments that
hold bytes or free text are not declared: they show what was written or sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from kaudit.model.runtime_event import Seen, instant, plain, shown


class Part(msgspec.Struct, gc=False, omit_defaults=True):
    """Base of the parts."""


class Image(Part):
    """Image of a container."""

    id: Any = None
    name: Any = None


class Container(Part):
    """Container of a process."""

    id: Any = None
    name: Any = None
    image: Image | None = None


class Pod(Part):
    """Pod of a process, as Tetragon has learnt it from the API server."""

    namespace: Any = None
    name: Any = None
    uid: Any = None
    container: Container | None = None
    workload: Any = None
    workload_kind: Any = None


class Process(Part):
    """Process, or its parent."""

    uid: Any = None
    binary: Any = None
    arguments: Any = None
    start_time: Any = None
    pod: Pod | None = None
    docker: Any = None

    @property
    def command(self) -> str | None:
        """Binary and arguments, masked."""
        binary, arguments = plain(self.binary), shown(self.arguments)
        return f"{binary} {arguments}" if binary and arguments else binary or arguments


class PathArgument(Part):
    """A file, or a program that is started."""

    path: Any = None


class SocketArgument(Part):
    """A socket or a packet."""

    daddr: Any = None
    dport: Any = None
    addr: Any = None
    port: Any = None


class NamedArgument(Part):
    """A kernel module."""

    name: Any = None


class Argument(Part):
    """One argument of what a policy watches."""

    file_arg: PathArgument | None = None
    path_arg: PathArgument | None = None
    linux_binprm_arg: PathArgument | None = None
    sock_arg: SocketArgument | None = None
    skb_arg: SocketArgument | None = None
    sockaddr_arg: SocketArgument | None = None
    module_arg: NamedArgument | None = None

    @property
    def target(self) -> str | None:
        """File, address or module; None for other arguments."""
        file = self.file_arg or self.path_arg or self.linux_binprm_arg
        if file is not None:
            return plain(file.path)
        socket = self.sock_arg or self.skb_arg or self.sockaddr_arg
        if socket is not None:
            address, port = plain(socket.daddr or socket.addr), plain(socket.dport or socket.port)
            return f"{address or ''}:{port or ''}" if address or port else None
        return plain(self.module_arg.name) if self.module_arg else None


class Body(Part):
    """What the events of all types have."""

    process: Process | None = None
    parent: Process | None = None
    function_name: Any = None
    args: list[Argument] | None = None
    action: Any = None
    return_action: Any = None
    policy_name: Any = None
    subsys: Any = None
    event: Any = None
    path: Any = None
    symbol: Any = None
    tags: Any = None
    signal: Any = None
    status: Any = None
    destination_ip: Any = None
    destination_port: Any = None
    type: Any = None
    cgroup: Any = None
    number_of_dropped_process_events: Any = None

    @property
    def function(self) -> str | None:
        """What was hooked."""
        if self.subsys is not None:
            return f"{plain(self.subsys)}/{plain(self.event)}"
        return plain(self.function_name) or plain(self.symbol)

    @property
    def target(self) -> str | None:
        """What it was done to: the first argument that is a file, an address or a module."""
        for argument in self.args or ():
            if (found := argument.target) is not None:
                return found
        if self.destination_ip is not None:
            return f"{plain(self.destination_ip)}:{plain(self.destination_port) or ''}"
        return plain(self.path)

    def redact(self) -> None:
        """Mask what is a command line."""
        for process in (self.process, self.parent):
            if process is not None:
                for name in ("binary", "arguments"):
                    value = getattr(process, name)
                    if value is not None:
                        setattr(process, name, shown(value))
        for argument in self.args or ():
            for file in (argument.file_arg, argument.path_arg, argument.linux_binprm_arg):
                if file is not None and (text := shown(file.path)):
                    file.path = text
        if text := shown(self.path):
            self.path = text


class Aggregation(Part):
    """aggregation_info: Tetragon has counted repeats itself."""

    count: Any = None


class Event(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """Header and body of one event; of whichever type."""

    type: str
    node_name: Any = None
    cluster_name: Any = None
    time: Any = None
    body: Body

    @property
    def moment(self) -> datetime | None:
        """When it happened."""
        return moment(self.time, self.type, self.body)


def moment(time: Any, type: str, body: Body) -> datetime | None:
    """When an event happened; before 0.9 an execution had only the start of its process."""
    started = body.process.start_time if body.process else None
    return instant(time) or (instant(started) if type == "process_exec" else None)


class FoundEvent(Seen, kw_only=True):
    """Record of an event; its command lines are masked."""

    event: Event

    def __post_init__(self) -> None:
        self.event.body.redact()


#: Types that open-source Tetragon emits; others are known by their name's beginning.
TYPES = (
    "process_exec",
    "process_exit",
    "process_kprobe",
    "process_tracepoint",
    "process_uprobe",
    "process_usdt",
    "process_lsm",
    "process_loader",
    "process_throttle",
    "rate_limit_info",
)
members = msgspec.json.Decoder(dict[str, Raw]).decode
body_of = msgspec.json.Decoder(Body).decode
