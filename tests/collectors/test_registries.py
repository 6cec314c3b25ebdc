"""Registry settings of nodes: which addresses are unsafe, and what is not kept of them."""

from pathlib import Path

import pytest

from kaudit.collect import collect
from kaudit.evidence.bundle import Evidence
from kaudit.model.registry_config import is_local
from kaudit.model.words import Reason
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource

EXAMPLES = Path(__file__).parent / "outputs" / "registries"


def found(evidence: Evidence) -> dict[str, tuple[bool, bool]]:
    """Whether each place is reached by plain HTTP, and whether unverified."""
    t = evidence["registry_endpoints"]
    flags = zip(t["plain_http"], t["unverified"], strict=True)
    return dict(zip(t["place"], flags, strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "hosts.toml",
            {
                "registry.example.com at https://mirror.example.com": (False, False),
                "registry.example.com at http://cache.example.com:5000": (True, True),
                "registry.example.com at https://registry.example.com": (False, False),
            },
        ),
        (
            "config.toml",
            {
                "docker.io at https://mirror.example.com": (False, True),
                "docker.io at http://cache.example.com": (True, False),
                "other.example.com at other.example.com": (False, False),
            },
        ),
        (
            "registries.conf",
            {
                "example.com/foo at internal.example.com/bar": (False, False),
                "example.com/foo at mirror-1.example.com/foo": (True, True),
                "blocked.example.com at blocked.example.com": (True, True),
            },
        ),
        ("crio.conf", {"10.0.0.0/8 at 10.0.0.0/8": (True, True)}),
        (
            "daemon.json",
            {
                "registry.example.com:5000 at registry.example.com:5000": (True, True),
                "docker.io at https://mirror.example.com": (False, False),
            },
        ),
        (
            "registries.yaml",
            {
                "docker.io at http://mirror.example.com:5000": (True, False),
                "registry.example.com at registry.example.com": (False, True),
            },
        ),
    ],
)
def test_addresses(name: str, expected: dict[str, tuple[bool, bool]]) -> None:
    evidence = collect(ToolSource("registries", EXAMPLES / name))
    assert found(evidence) == expected
    assert "hunter22" not in str(evidence["records"].to_dict())
    assert "hunter22" not in str(evidence["registry_endpoints"].to_dict())


def test_the_folder_names_the_registry(tmp_path: Path) -> None:
    for folder in ("_default", "a.example_5000_"):
        place = tmp_path / "certs.d" / folder / "hosts.toml"
        place.parent.mkdir(parents=True)
        place.write_text('[host."http://mirror.example"]\n')
    (tmp_path / "50-team.conf").write_text('[[registry]]\nlocation = "b.example"\n')
    (tmp_path / "config.toml").write_text("[other]\nserver_name = 1\n")
    assert set(found(collect(FileSource(tmp_path)))) == {
        "* at http://mirror.example",
        "a.example:5000 at http://mirror.example",
        "b.example at b.example",
    }


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("[[registry]]\nlocation = 7\n", "no text"),
        ('[[registry]]\nlocation = "a.example"\ninsecure = "yes"\n', "neither true nor false"),
        ('[host."https://a.example"]\nskip_verify = 1\n', "neither true nor false"),
        ("[[registry]]\nlocation = \n", "no TOML"),
        ("registry = 7\n[crio.image]\n", "no table"),
        ("server = [" + "[" * 5000, ""),
    ],
)
def test_what_cannot_be_told_is_a_gap(text: str, detail: str, tmp_path: Path) -> None:
    path = tmp_path / "registries.conf"
    path.write_text(text)
    evidence = collect(ToolSource("registries", path))
    gaps = [gap for gap in evidence.gaps if gap.reason is Reason.BROKEN]
    assert any(detail in gap.detail for gap in gaps)
    assert all("registry_endpoints" in gap.tables for gap in gaps)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://127.0.0.1:5000", True),
        ("127.8.0.1", True),
        ("https://[::1]/v2", True),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://[::1", False),
    ],
)
def test_what_stays_on_the_node(address: str, local: bool) -> None:
    assert is_local(address) is local
