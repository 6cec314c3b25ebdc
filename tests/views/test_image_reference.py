"""Image references are read as container engines read them, and pulled as Kubernetes defaults."""

from typing import Any

import pytest

from kaudit.collect import collect
from tests.memory_source import MemorySource, rows

DIGEST = "sha256:" + "a" * 64
COLUMNS = ("registry", "repository", "tag", "digest", "floating", "pinned", "valid", "pull_policy")


def read(image: str, **rest: Any) -> tuple[Any, ...]:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"containers": [{"name": "c", "image": image, **rest}]},
    }
    (row,) = rows(collect(MemorySource(pod)), "image_references", *COLUMNS)
    return tuple(row[name] for name in COLUMNS)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", ("docker.io", "library/nginx", "", "", True, False, True, "Always")),
        ("nginx:latest", ("docker.io", "library/nginx", "latest", "", True, False, True, "Always")),
        ("nginx:1", ("docker.io", "library/nginx", "1", "", False, False, True, "IfNotPresent")),
        ("a/b:1", ("docker.io", "a/b", "1", "", False, False, True, "IfNotPresent")),
        ("localhost/b:1", ("localhost", "b", "1", "", False, False, True, "IfNotPresent")),
        ("r:5000/b", ("r:5000", "b", "", "", True, False, True, "Always")),
        ("r.io/b:latest-1", ("r.io", "b", "latest-1", "", False, False, True, "IfNotPresent")),
        (f"r.io/b@{DIGEST}", ("r.io", "b", "", DIGEST, False, True, True, "IfNotPresent")),
        (f"r.io/b:1@{DIGEST}", ("r.io", "b", "1", DIGEST, False, True, True, "IfNotPresent")),
    ],
)
def test_a_reference_without_policy(image: str, expected: tuple[Any, ...]) -> None:
    assert read(image) == expected


def test_what_is_written_stands() -> None:
    assert read("nginx", imagePullPolicy="Never")[-1] == "Never"
    assert read("nginx:1", imagePullPolicy="Always")[-1] == "Always"


def test_a_broken_digest_pins_nothing_and_floats_nowhere() -> None:
    assert read("nginx@sha256:12")[3:7] == ("", False, False, False)
