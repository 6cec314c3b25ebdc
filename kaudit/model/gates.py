"""Which security tools a step of a pipeline runs, and whether what they find stops it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kaudit.model.gate import STOPPING, Gate
from kaudit.model.gate_actions import of_action
from kaudit.model.gate_commands import of_command
from kaudit.model.shell import Command, commands
from kaudit.model.workflow import Scalar, Step

_REGARDLESS = frozenset(("true", ":", "echo", "printf"))
_PIPEFAIL = re.compile(r"^\s*set\s.*\bpipefail\b", re.MULTILINE)
_GO_ON = re.compile(r"^\s*set\s+\+e\b", re.MULTILINE)


def gates(step: Step, env: Mapping[str, Scalar]) -> Iterator[Gate]:
    """Yield what a step runs; ``env`` is what its workflow, its job and itself set."""
    if step.uses:
        yield from of_action(step)
        return
    script = step.run or ""
    found = list(commands(script))
    careless = "set +e goes on after faults" if _GO_ON.search(script) else ""
    pipefail = bool(_PIPEFAIL.search(script)) or "pipefail" in (step.shell or "")
    pipefail = pipefail or step.shell == "bash"
    for at, command in enumerate(found):
        following = found[at + 1] if at + 1 < len(found) else None
        lost = careless
        if command.after == "||" and following and _goes_on(following):
            lost = f"|| {following.line}"
        elif command.after == "|" and not pipefail:
            lost = "its exit status is lost in a pipe"
        for gate in of_command(command, env):
            gate.why_not = gate.why_not or (lost if gate.purpose in STOPPING else "")
            yield gate


def _goes_on(command: Command) -> bool:
    """Tell whether a command succeeds whatever came before it."""
    if command.program == "exit":
        return command.words[1:2] == ["0"]
    return command.program in _REGARDLESS
