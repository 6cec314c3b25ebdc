"""Write ``differences.md``: figures of agreement, and why each differing case differs.

The reasons are written by hand, in the last column of the tables of cases; all else is
computed. ``python -m tests.conformance.differences`` writes the file anew and keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.conformance import connectivity
from tests.conformance.agreement import SUITES, Outcome, cases, outcomes, rules

FILE = Path(__file__).parent / "differences.md"

_HEAD = """\
# Where kaudit and its peers differ

The cases are those of `shared/conformance`; `rules.csv` says which controls stand for which
rule of a peer. Rules that a peer defines otherwise than kaudit on purpose are measured as well,
and counted apart. A case in which kaudit assesses nothing is no agreement, and counted apart too.
`python -m tests.conformance.differences` writes this file; the reasons in the last column of
the second part are written by hand, and a test wants one for every case.

## Figures

| peer | same question: agree | of | share | defined otherwise: agree | of | all: share | not assessed | without a control |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


def figures(found: tuple[Outcome, ...]) -> tuple[int, int, int, int]:
    """Agreeing and all cases of rules with the same question, and of those defined otherwise."""
    same = [o.agrees for o in found if o.counts and not o.rule.differs]
    other = [o.agrees for o in found if o.counts and o.rule.differs]
    return sum(same), len(same), sum(other), len(other)


def reasons() -> dict[str, str]:
    """Why each case differs, by its id, as the file says now."""
    found = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and "/" in cells[0]:
            found[cells[0].strip("`")] = cells[3]
    return found


def render(why: dict[str, str]) -> str:
    """Text of the file, with the reasons given."""
    lines = [_HEAD.rstrip("\n")]
    for suite in SUITES:
        agree, same, agree_other, other = figures(outcomes(suite))
        silent = sum(not outcome.counts for outcome in outcomes(suite))
        left = len(cases(suite)) - same - other - silent
        share = f"{100 * agree / same:.1f} %"
        of_all = f"{100 * (agree + agree_other) / (same + other):.1f} %"
        numbers = [agree, same, share, agree_other, other, of_all, silent, left]
        lines.append(f"| {suite} | {' | '.join(map(str, numbers))} |")
    lines += ["", "## Cases that differ", ""]
    lines += ["| case | peer | kaudit | why |", "| --- | --- | --- | --- |"]
    for suite in SUITES:
        for outcome in outcomes(suite):
            if not outcome.agrees:
                key = outcome.case.id
                reason = outcome.rule.differs or why.get(key, "")
                lines.append(f"| `{key}` | {outcome.expected} | {outcome.found} | {reason} |")
    lines += ["", "## Rules that are defined otherwise", ""]
    lines += ["| peer | rule | controls | how |", "| --- | --- | --- | --- |"]
    for suite in SUITES:
        lines += [
            f"| {suite} | {name} | {' '.join(rule.controls)} | {rule.differs} |"
            for name, rule in rules(suite).items()
            if rule.differs
        ]
    lines += ["", "## Rules without a control", ""]
    lines += ["| peer | rule | cases | what it asks instead |", "| --- | --- | ---: | --- |"]
    for suite in SUITES:
        numbers = [case.rule for case in cases(suite)]
        lines += [
            f"| {suite} | {name} | {numbers.count(name)} | {rule.note} |"
            for name, rule in rules(suite).items()
            if not rule.reading
        ]
    return "\n".join(lines) + "\n\n" + connections(tuple(connectivity.outcomes()))


_CONNECTIONS = """\
## Connections

Lists of netpol-analyzer, what differs between two states, one question, and input that it
refuses. Those of NetworkPolicy and Ingress are the core; what is `open` to peers that no manifest
holds is not listed by kaudit, so that cases of exposure are judged by their connections alone.

"""


_ENGINES = """\
## Policies through the engines

What kaudit's runs of gator and kyverno say of the cases of gatekeeper-library and
kyverno-policies (`tests/integration/test_policy_engines.py`; all of them with `KAUDIT_EVERY=1`).

| cases | agree | of |
| --- | ---: | ---: |
| gatekeeper-library | 125 | 125 |
| kyverno-policies, of its own command line | 2382 | 2382 |

- `deny-secret-service-account-token-type` asks for the type of a Secret. Engines get Secrets by
  name, labels, known annotations and type. Policies that may read more of them have no verdict on
  Secrets, which is a gap.
- `memory-requests-equal-limits` with the CronJob `hello` of `batch/v1beta1` expects pass. kyverno
  1.19 by itself has no verdict on it: the rule that its autogen adds names `batch/v1/CronJob`.
  `kyverno test` counts what no rule matches as passed, whether pass, fail or skip is expected, so
  that its word decides nothing here. In a cluster Kyverno's webhooks say `matchPolicy:
  Equivalent`, and the server converts the object to `batch/v1` before they see it. kaudit hands
  it to kyverno so, unless a policy may ask for the version, and gets pass from the rule itself.
"""


def connections(found: Sequence[connectivity.Outcome]) -> str:
    """Part of the file on lists of connections."""
    lines = ["| cases | agree | of |", "| --- | ---: | ---: |"]
    for name, chosen in (
        ("lists of the core", [o for o in found if _is_list(o) and o.case.level in _CORE]),
        ("other lists", [o for o in found if _is_list(o) and o.case.level not in _CORE]),
        ("refused input", [o for o in found if not _is_list(o)]),
    ):
        lines.append(f"| {name} | {sum(o.agrees for o in chosen)} | {len(chosen)} |")
    lines += ["", "| case | peer | kaudit | why |", "| --- | --- | --- | --- |"]
    why = reasons() if FILE.exists() else {}
    lines += [
        f"| `{o.case.id}` | {o.expected} | {o.found} | {why.get(o.case.id, '')} |"
        for o in found
        if not o.agrees
    ]
    return _CONNECTIONS + "\n".join(lines) + "\n\n" + _ENGINES


_CORE = connectivity.CORE


def _is_list(outcome: connectivity.Outcome) -> bool:
    return outcome.case.rule != "invalid-input"


if __name__ == "__main__":
    FILE.write_text(render(reasons() if FILE.exists() else {}), encoding="utf-8")
