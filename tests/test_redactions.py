"""Each redaction is what keeps its canaries out: without it they are found, with it none is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from kaudit.collect import collect
from kaudit.evidence import seal
from kaudit.model import (
    attached_networks,
    configuration,
    container,
    credential,
    encryption_config,
    external_secrets,
    gatekeeper,
    meta,
    network_selection,
    runtime_event,
    secret_drivers,
    storage,
    store_references,
    user_networks,
    volume,
    workflow,
)
from kaudit.source.files import FileSource
from tests.planted import FILES, PLACES, canary, objects, write
from tests.test_canary import CANARY, contents, kaudit

ROOT = Path(__file__).parents[1]
NAMED = re.compile(rb"CANARY-([a-z-]+?)-7d1f20c4b9", re.IGNORECASE)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("planted") / "dump")


def kept(folder: Path, out: Path) -> dict[str, bytes]:
    """All that a bundle of the folder holds, unpacked."""
    collect(FileSource(folder), out=out)
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    found = [one for path in files for one in contents(path.read_bytes(), path.name)]
    return dict(found)


def leaks(held: dict[str, bytes]) -> set[str]:
    found = {match.decode() for data in held.values() for match in NAMED.findall(data)}
    coded = any(CANARY.search(NAMED.sub(b"", data)) for data in held.values())
    shaped = any(b"ghp_A1b2" in data for data in held.values())
    return found | ({"(coded)"} if coded else set()) | ({"label"} if shaped else set())


def test_every_place_is_planted() -> None:
    places = set(PLACES) - {*FILES, "label"}
    text = repr(objects()).encode()
    plain = {match.decode() for match in NAMED.findall(text)}
    assert places - plain == {"data", "applied", "release", "pull", "binary"}  # in base64
    assert len(CANARY.findall(text)) >= len(places) - 1  # one is packed


def test_nothing_of_it_is_kept(planted: Path, tmp_path: Path) -> None:
    held = kept(planted, tmp_path / "bundle")
    assert leaks(held) == set()
    read = b"".join(held.values())
    kinds = (
        *("Secret", "ConfigMap", "Pod", "CronJob", "ExternalSecret", "SecretStore", "Fake"),
        *("NetworkAttachmentDefinition", "VirtualMachine", "MultiNetworkPolicy", "Event"),
        *("AuthorizationPolicy", "Assign"),
    )
    assert [kind for kind in kinds if f'"{kind}"'.encode() not in read] == []


def test_nothing_of_it_is_written_said_or_left_in_temporary_files(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    for name, value in {
        "HOME": tmp_path / "home",
        "XDG_CACHE_HOME": tmp_path / "home/cache",
        "TMPDIR": tmp_path / "tmp",
    }.items():
        monkeypatch.setenv(name, str(value))
    packed = tmp_path / "e.kaudit"
    said = [
        kaudit("collect", planted, "-o", packed),
        kaudit("report", packed, "--notebook", "secrets", "-o", tmp_path / "report"),
        kaudit("assess", planted, "--all", "-f", "json"),
        *(kaudit("tables", packed, t, "--limit", "0") for t in ("env", "containers", "probes")),
    ]
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    searched = [one for p in files for one in contents(p.read_bytes(), p.name)]
    assert [name for name, data in searched if CANARY.search(data)] == []
    assert [text for text in said if CANARY.search(text)] == []


_WALK = """
import gc, re, sys
from pathlib import Path
from kaudit.collect import collect
from kaudit.evidence import seal
from kaudit.source.files import FileSource
evidence = collect(FileSource(Path(sys.argv[1])))
if sys.argv[2] == "keep":
    held = Path(sys.argv[1], "cluster.json").read_text()
wanted = re.compile(b"CANARY" + b"-[a-z]")
stack, seen, found = [*gc.get_objects(), *sys.modules.values()], set(), 0
while stack:
    one = stack.pop()
    if id(one) in seen:
        continue
    seen.add(id(one))
    if isinstance(one, str):
        found += bool(wanted.search(one.encode("utf-8", "surrogatepass")))
    elif isinstance(one, (bytes, bytearray)):
        found += bool(wanted.search(one))
    else:
        stack += gc.get_referents(one)
print(len(seen), found)
"""


@pytest.mark.parametrize("keep", ["keep", "no"])
def test_nothing_of_it_stays_in_the_process(planted: Path, keep: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WALK, str(planted), keep],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    walked, found = map(int, done.stdout.split())
    assert walked > 100_000
    assert bool(found) == (keep == "keep")


def _nothing(self: Any) -> None:
    return None


def _same(text: Any) -> Any:
    return text


def _second(_key: Any, raw: Any) -> Any:
    return raw


def _no_verdict(_name: Any, _value: Any) -> Any:
    return ""


def _quoted(_key: Any, raw: Any, *, binary: bool) -> Any:
    """Run as code of its module: what it names is there."""
    return Judged(1, bytes(raw).decode())  # type: ignore[name-defined]  # noqa: F821


def _unmasked(texts: Any) -> Any:
    return texts, 0


def _all_of_it(document: Any) -> Any:
    return {"resources": [str(document)]}


#: What is switched off, by what, and whose canaries are found then.
REDACTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], set[str]]] = {
    "values of Secrets": (
        configuration.Secret.__post_init__,
        _nothing,
        {"stringData", "(coded)"},
    ),
    "values of ConfigMaps": (
        configuration._judged,
        _quoted,
        {"config", "config-file", "(coded)"},
    ),
    "annotations": (meta._kept, _second, {"annotation", "snippet"}),
    "literals of env": (
        container.EnvVar.__post_init__,
        _nothing,
        {"env", "init-env", "template-env"},
    ),
    "command lines of containers": (
        container.Container.__post_init__,
        _nothing,
        {"arg", "command"},
    ),
    "command lines of probes": (container.Exec.__post_init__, _nothing, {"probe", "hook"}),
    "paths of probes": (container.HttpGet.__post_init__, _nothing, {"query"}),
    "attributes of volumes": (volume.CsiVolume.__post_init__, _nothing, {"csi"}),
    "attributes of persistent volumes": (
        storage.DriverRef.__post_init__,
        _nothing,
        {"volume"},
    ),
    "parameters of storage classes": (storage.StorageClass.__post_init__, _nothing, {"class"}),
    "settings of stores": (store_references.reduced, _same, {"fake", "inline", "generator"}),
    "keys of stores": (external_secrets._plain, _same, {"reference"}),
    "keys of encryption": (encryption_config.reduced, _all_of_it, {"encryption"}),
    "sealed values": (secret_drivers.SealedSpec.__post_init__, _nothing, {"sealed"}),
    "parameters of drivers": (
        secret_drivers.ProviderClassSpec.__post_init__,
        _nothing,
        {"parameters"},
    ),
    "shapes in tables": (seal._masked, _unmasked, {"label"}),
    "masking of text": (credential.masked, _same, {"hadolint", "query", "reference"}),
    "arguments of networks": (network_selection.reduced, _same, {"cni-args", "network-status"}),
    "configurations of networks": (
        attached_networks.AttachmentSpec.__post_init__,
        _nothing,
        {"cni-config"},
    ),
    "network data of machines": (
        user_networks.CloudInit.__post_init__,
        _nothing,
        {"network-data"},
    ),
    "parameters of constraints": (gatekeeper._names, _same, {"parameter"}),
    "values of mutations": (gatekeeper.MutationParameters.__post_init__, _nothing, {"assigned"}),
    "command lines of sensors and events": (
        runtime_event.command_line,
        _same,
        {"event", "falco", "tetragon"},
    ),
    "arguments of Dockerfiles": (credential.verdict, _no_verdict, {"dockerfile"}),
    "variables of workflows": (workflow._safe, _same, {"workflow"}),
}


@pytest.fixture
def without(request: pytest.FixtureRequest) -> Iterator[set[str]]:
    """Switch a redaction off for a while; msgspec holds the function, so its code is changed."""
    function, instead, expected = REDACTIONS[request.param]
    assert isinstance(function, FunctionType)
    assert isinstance(instead, FunctionType)
    code = function.__code__
    function.__code__ = instead.__code__
    yield expected
    function.__code__ = code
    runtime_event._harmless.clear()  # what was looked at meanwhile was not masked


@pytest.mark.parametrize("without", REDACTIONS, indirect=True)
def test_without_it_they_are_found(planted: Path, tmp_path: Path, without: set[str]) -> None:
    assert without <= leaks(kept(planted, tmp_path / "bundle"))


def test_the_names_of_places_are_told_apart() -> None:
    found = NAMED.findall(" ".join(canary(place) for place in PLACES).encode())
    assert [name.decode() for name in found] == list(PLACES)
