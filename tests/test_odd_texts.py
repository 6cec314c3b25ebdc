"""Texts that are nearly numbers, moments, addresses or patterns, in any place: nothing crashes."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kaudit import demo
from kaudit.assess import assess
from kaudit.collect import collect
from kaudit.source.files import FileSource
from tests.memory_source import MemorySource, evidence_of, rows

ODD = [
    *["", "0", "-0", "-1", "+1", " 1", "1.5", "1e5", "1e999", "1_0", "0x1F", "NaN", "²", "٣", "Ⅷ"],
    *["9" * 25, "9" * 5000, "9223372036854775808", "v1.²", "v1.99999999999999999999"],
    *["²:²", "80:b", "1-²", "²/TCP", "²%", "1h²m", "9" * 30 + "h", "2026-13-45T99:99:99Z"],
    *["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "256.1.1.1", "1.1.1.1/33", "0.0.0.0/0"],
    *["10.0.0.0/-1", "::", "fe80::1%eth0", "::ffff:1.2.3.4/129", "sha256:", "@sha256:²", "a/b/c/d"],
    *["*", "!", "..", "//", "%", "=", ",", ":", "[", "(", "^(a", "{{", "$(x)", "\\", "\n", "\x00"],
    *["null", "~", "true", "T", "\u202e", "é" * 3000],
]
#: Of all texts, how many become odd ones; with few of them, more of the rest is understood.
SHARES = [0.02, 0.1, 0.3]
_KEPT = ("kind", "apiVersion")


def odd(found: Any, chance: random.Random, share: float) -> Any:
    """The same, with some texts odd; what an object is stays."""
    if isinstance(found, dict):
        return {k: v if k in _KEPT else odd(v, chance, share) for k, v in found.items()}
    if isinstance(found, list):
        return [odd(value, chance, share) for value in found]
    if isinstance(found, str) and chance.random() < share:
        return chance.choice(ODD)
    return found


@cache
def objects() -> list[dict[str, Any]]:
    return list(demo.objects())


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("seed", range(2))
def test_no_control_crashes_over_odd_objects(seed: int, share: float) -> None:
    chance = random.Random(f"{seed} {share}")
    found = collect(MemorySource(*odd(objects(), chance, share)), raw=False)
    assert [id for id, tally in assess(found).tallies.items() if tally.error_] == []


@pytest.mark.parametrize("share", SHARES)
def test_no_control_crashes_over_odd_outputs_of_tools(share: float, tmp_path: Path) -> None:
    chance = random.Random(share)
    demo.write(tmp_path)
    for path in sorted(tmp_path.rglob("*.json*")):
        lines = path.read_bytes().splitlines() if path.suffix == ".jsonl" else [path.read_bytes()]
        made = [odd(msgspec.json.decode(line), chance, share) for line in lines]
        path.write_bytes(b"\n".join(map(msgspec.json.encode, made)) + b"\n")
    found = collect(FileSource(tmp_path), raw=False)
    assert [id for id, tally in assess(found).tallies.items() if tally.error_] == []


@pytest.mark.parametrize("version", ["v1.²", "v1." + "9" * 25, "v1." + "9" * 5000, "1", ""])
def test_a_version_that_is_none_is_no_minor(version: str) -> None:
    info = {"nodeInfo": {"kubeletVersion": version}}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": info}
    evidence = collect(MemorySource(node))
    assert rows(evidence, "nodes", "kubelet_version", "kubelet_minor") == [
        {"kubelet_version": version, "kubelet_minor": None}
    ]


POLICY = """
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {ingress: [{action: Allow, protocol: TCP, destination: {ports: [PORT]}}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: PORT, protocol: TCP}]}]}]}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, labels: {app: p}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
"""


@pytest.mark.parametrize("port", ["80:b", "²", "80:²", ":", "9" * 5000])
def test_ports_of_plugins_that_are_none(port: str) -> None:
    found = assess(evidence_of(POLICY.replace("PORT", f'"{port}"')))
    assert [id for id, tally in found.tallies.items() if tally.error_] == []
