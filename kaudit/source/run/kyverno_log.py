"""What kyverno passes over without a word, but for its log.

Source: kyverno/kyverno, ``cmd/cli/kubectl-kyverno/commands/apply`` and ``policy``: a file that
cannot be loaded is told at verbosity 3, an object to which no policy could be applied at 2, and
both end with 0. One policy of CEL that does not compile stops all policies on every object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from kaudit.model.credential import masked
from kaudit.source.run.program import Ended

Run = Callable[[list[str | Path]], Ended]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SKIPPED = re.compile(
    r'skipping invalid YAML file error="?(?:failed to load file \S+: )?(?P<why>.*?)"? '
    r'(?:logger=\S+ )?path="?(?P<path>[^"\s]+)'
)
_NOT_COMPILED = re.compile(r"failed to compile policy (?P<name>\S+) \((?P<why>.*)")
_NOT_LOADED = re.compile(
    r'Non-fatal parsing error for single document error="?(?P<why>.*?)"?(?: logger=\S+)?$',
    re.MULTILINE,
)
_APPLIES = re.compile(rb"^Applying 0 policy rule", re.MULTILINE)
_MISSED = re.compile(
    r"failed to apply policies on resource (?P<name>\S*) \((?P<why>.*?)\)?$", re.MULTILINE
)
_CHATTER = re.compile(r"\S+ (?:TRC|DBG|INF|-\d) ")
_LONGEST = 280
#: Something to apply policies to: what does not compile is noticed with an object alone.
_ANYTHING = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kaudit"}}\n'
_CHECK = ["apply", "-v=3", "--remove-color", "--continue-on-fail"]


def sieved(policies: Path, run: Run) -> list[str]:
    """Take out of a file the policies that kyverno does not load, and say which and why.

    Each is tried in a file of its own, so that none costs another.
    """
    folder = policies.parent / "each"
    folder.mkdir(exist_ok=True)
    lines = [line for line in policies.read_bytes().splitlines() if line != b"---"]
    files = {folder / f"{number}.yaml": line for number, line in enumerate(lines)}
    for path, line in files.items():
        path.write_bytes(line)
    anything = folder / "anything"
    anything.write_text(_ANYTHING, encoding="utf-8")
    lost: dict[Path, str] = {}
    while left := [path for path in files if path not in lost]:
        said = _plain(run([*_CHECK, f"--resource={anything}", "--", *left]).said)
        found = _named(said, left, files)
        if not found and (why := _NOT_LOADED.search(said)):
            found = dict(_alone(left, lambda p: run([*_CHECK, f"--resource={anything}", "--", p])))
            lost |= found or {path: _short(why["why"]) for path in left}
            break
        if not found:
            break
        lost |= found
    if lost:
        kept = [b"---\n" + line + b"\n" for path, line in files.items() if path not in lost]
        policies.write_bytes(b"".join(kept))
    return [f"{_called(files[path])} was not evaluated: {lost[path]}" for path in sorted(lost)]


def missed(said: str) -> list[str]:
    """Say to which objects no policy was applied, in what a run logged."""
    found: dict[str, list[str]] = {}
    for one in _MISSED.finditer(_plain(said)):
        found.setdefault(_short(one["why"]), []).append(one["name"])
    return [
        f"no policy was applied to {', '.join(names[:3])}"
        + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        + f": {why}"
        for why, names in sorted(found.items())
    ]


def words(said: str) -> str:
    """Leave of a log what tells of faults."""
    return "\n".join(line for line in _plain(said).splitlines() if not _CHATTER.match(line))


def _named(said: str, left: list[Path], files: dict[Path, bytes]) -> dict[Path, str]:
    """Return the policies that a log names, and why they are not applied."""
    found = {Path(one["path"]): _short(one["why"]) for one in _SKIPPED.finditer(said)}
    for one in _NOT_COMPILED.finditer(said):
        for path in left:
            if _name(files[path]).rpartition("/")[2] == one["name"].rpartition("/")[2]:
                found.setdefault(path, _short(one["why"]))
    return {path: why for path, why in found.items() if path in left}


def _alone(left: list[Path], run: Callable[[Path], Ended]) -> Iterator[tuple[Path, str]]:
    """Try each by itself; yield those of which no rule is applied."""
    for path in left:
        ended = run(path)
        why = _NOT_LOADED.search(_plain(ended.said))
        if why and _APPLIES.search(ended.out.read_bytes()):
            yield path, _short(why["why"])


def _plain(said: str) -> str:
    return _COLOUR.sub("", said)


def _short(why: str) -> str:
    text = " ".join(masked(why.replace('\\"', '"')).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _name(line: bytes) -> str:
    return str(msgspec.json.decode(line)["metadata"].get("name"))


def _called(line: bytes) -> str:
    return f"{msgspec.json.decode(line)['kind']} {_name(line)}"
