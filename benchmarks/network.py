"""Measure reachability: ``python -m benchmarks.network``; ``--pods N …`` for other sizes.

A cluster of 200 namespaces and 1,000 policies is written, and its reachability computed from
the dump, in a process of its own. Pairs drawn from it are compared with a plain evaluator. A
budget that is missed, or a wrong pair, makes the exit code 1.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import python, run

#: Pods to seconds and megabytes, from the dump on.
BUDGETS = {10_000: (10.0, 1000), 50_000: (60.0, 0)}
_SPACES, _POLICIES, _REPLICAS, _DRAWN = 200, 1_000, 5, 2_000
_ENVIRONMENTS, _TIERS = ("production", "development", "test"), ("web", "api", "db")

Object = dict[str, Any]


def cluster(pods: int) -> Iterator[Object]:
    """Yield namespaces, pods with addresses, and policies of many forms."""
    drawn = random.Random(7)
    for n in range(_SPACES):
        labels = {"team": f"t{n % 20}", "environment": _ENVIRONMENTS[n % 3]}
        yield _object("v1", "Namespace", {"name": f"ns{n}", "labels": labels})
    for number in range(pods):
        yield _pod(number)
    apps = max(1, pods // _SPACES // _REPLICAS)
    for number in range(_POLICIES):
        name = {"name": f"p{number}", "namespace": f"ns{number % _SPACES}"}
        spec: Object = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        if number >= _SPACES:
            spec = _allowed(drawn, apps)
        yield _object("networking.k8s.io/v1", "NetworkPolicy", name) | {"spec": spec}


def _object(version: str, kind: str, metadata: Object) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _pod(number: int) -> Object:
    space, app = number % _SPACES, number // _SPACES // _REPLICAS
    owner = {"kind": "ReplicaSet", "name": f"app{app}-x", "uid": f"{space}-{app}"}
    metadata = {
        "name": f"app{app}-{number}",
        "namespace": f"ns{space}",
        "labels": {"app": f"app{app}", "tier": _TIERS[app % 3], "pod-template-hash": f"{number:x}"},
        "ownerReferences": [owner | {"controller": True}],
    }
    port = {"containerPort": 8080 + app % 7, "name": "http"}
    return _object("v1", "Pod", metadata) | {
        "spec": {"containers": [{"name": "c", "image": "i", "ports": [port]}]},
        "status": {"podIP": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"},
    }


def _allowed(drawn: random.Random, apps: int) -> Object:
    team = {"matchLabels": {"team": f"t{drawn.randrange(20)}"}}
    other = {"matchExpressions": [{"key": "environment", "operator": "NotIn", "values": ["test"]}]}
    inner = {"cidr": "10.0.0.0/16", "except": [f"10.0.{drawn.randrange(255)}.0/24"]}
    outer = {"cidr": f"{drawn.randrange(11, 100)}.{drawn.randrange(255)}.0.0/16"}
    peers = (
        {"podSelector": {"matchLabels": {"app": f"app{drawn.randrange(apps)}"}}},
        {"namespaceSelector": team, "podSelector": {"matchLabels": {"tier": "web"}}},
        {"namespaceSelector": other},
        {"ipBlock": inner},
        {"ipBlock": outer},
    )
    ports: tuple[list[Object], ...] = (
        [{"port": 8080 + drawn.randrange(7)}],
        [{"port": "http"}],
        [{"port": 5000, "endPort": 6000 + drawn.randrange(9)}],
        [],
    )
    side, direction = drawn.choice((("from", "Ingress"), ("to", "Egress")))
    rule = {side: [drawn.choice(peers)], "ports": drawn.choice(ports)}
    return {
        "podSelector": {"matchLabels": {"app": f"app{drawn.randrange(apps)}"}},
        "policyTypes": [direction],
        direction.lower(): [rule],
    }


def computed(path: Path) -> int:
    """Compute the reachability of a dump, and print its size."""
    from kaudit.opening import evidence_of

    evidence = evidence_of([str(path)])
    classes, pairs = evidence["network_classes"], evidence["network_reachability"]
    print(f"{len(classes):,} classes, {len(pairs):,} pairs that may connect")
    return 0


def compared(path: Path) -> int:
    """Compare pairs drawn from a dump with a plain evaluator; 1 where any differs."""
    from kaudit.connections import Cluster
    from kaudit.opening import evidence_of
    from tests.slow_network import SlowNetwork

    slow = SlowNetwork(json.loads(path.read_text())["items"])
    # Pods under their own names, so that each can be asked for.
    for pod in slow.pods:
        del pod["metadata"]["ownerReferences"]
    items = [o for o in json.loads(path.read_text())["items"] if o["kind"] != "Pod"] + slow.pods
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    found = Cluster(evidence_of([str(path)]))
    nodes = {w.name: min(classes) for w, classes in found.classes.items()}
    drawn, wrong = random.Random(11), 0
    for _ in range(_DRAWN):
        source, target = drawn.sample(slow.pods, 2)
        port = drawn.choice((8080, 8083, 5500, 9))
        allowed, _ = found.network.verdict(
            nodes[source["metadata"]["name"]], nodes[target["metadata"]["name"]]
        )
        piece = found.network.ports.containing("TCP", port)
        wrong += bool(allowed & piece) is not slow.allows(source, target, "TCP", port)
    print(f"{_DRAWN - wrong:,} of {_DRAWN:,} pairs as a plain evaluator has them")
    return int(bool(wrong))


def main() -> int:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.network", description=__doc__)
    parser.add_argument("--pods", type=int, nargs="*", default=[10_000, 50_000], metavar="N")
    parser.add_argument("--compute", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.compute:
        return computed(asked.compute)
    missed = False
    with tempfile.TemporaryDirectory(prefix="kaudit-benchmarks-") as private:
        for pods in asked.pods:
            path = Path(private) / f"{pods}.json"
            items = list(cluster(pods))
            path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
            figures = run(python("-m", "benchmarks.network", "--compute", str(path)))
            seconds, megabytes = BUDGETS.get(pods, (0.0, 0))
            kept = (not seconds or figures.wall <= seconds) and (
                not megabytes or figures.megabytes <= megabytes
            )
            missed |= not kept
            print(
                f"{pods:,} pods, dump to reachability: {figures.wall:.1f} s, "
                f"{figures.cpu:.1f} s CPU, {figures.megabytes:.0f} MB   "
                f"{'kept' if kept else 'MISSED'}",
                flush=True,
            )
            if pods == min(asked.pods):
                missed |= bool(compared(path))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
