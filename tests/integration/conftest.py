"""Fixtures of the tests that meet real programs, and the marker that all of them carry."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, running_cluster
from tests.integration.grype_database import write_grype_database
from tests.integration.images import Images, serving_images
from tests.integration.vulnerabilities import write_database


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engines)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that tests share: each works in namespaces of its own."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture(scope="session")
def cluster_with_controllers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose controllers run: workloads make pods, which no node ever starts."""
    with running_cluster(tmp_path_factory.mktemp("controlled"), controllers=True) as found:
        yield found


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    """Images in a registry on loopback: good and bad ones, signed and not."""
    with serving_images(tmp_path_factory.mktemp("images")) as found:
        yield found


@pytest.fixture(scope="session")
def trivy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cache folder for Trivy (``--cache-dir``) whose database knows a few made-up flaws."""
    folder = tmp_path_factory.mktemp("trivy")
    write_database(folder)
    return folder


@pytest.fixture(scope="session")
def grype_settings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Environment that makes Grype use a database of the same made-up flaws."""
    return write_grype_database(tmp_path_factory.mktemp("grype"))
