"""Tools see the way to registries, and nothing that leads to clusters and clouds."""

from pathlib import Path

from kaudit.source.run.environment import environment_of

OURS = {
    "PATH": "/opt/bin",
    "HOME": "/home/ann",
    "KUBECONFIG": "/home/ann/.kube/config",
    "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "GOOGLE_APPLICATION_CREDENTIALS": "/key.json",
    "AZURE_CLIENT_SECRET": "made-up",
    "GITHUB_TOKEN": "made-up",
    "LD_PRELOAD": "/x.so",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "TRIVY_CACHE_DIR": "/c",
    "TRIVY_SEVERITY": "LOW",
    "GRYPE_DB_CACHE_DIR": "/g",
    "GRYPE_ONLY_FIXED": "true",
}


def test_nothing_of_clusters_and_clouds() -> None:
    assert environment_of(OURS, Path("/tmp/h"), ("TRIVY_CACHE_DIR", "GRYPE_DB_")) == {
        "PATH": "/opt/bin",
        "HOME": "/tmp/h",
        "TMPDIR": "/tmp/h",
        "XDG_CONFIG_HOME": "/tmp/h",
        "XDG_CACHE_HOME": "/home/ann/.cache",
        "LANG": "C.UTF-8",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "TRIVY_CACHE_DIR": "/c",
        "GRYPE_DB_CACHE_DIR": "/g",
    }


def test_credentials_of_registries_are_found_beside_the_real_home(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    assert "DOCKER_CONFIG" not in environment_of({"HOME": "/nowhere"}, Path("/h"))
    found = environment_of({"HOME": str(tmp_path)}, Path("/h"))
    assert found["DOCKER_CONFIG"] == str(tmp_path / ".docker")
    given = environment_of({"HOME": str(tmp_path), "DOCKER_CONFIG": "/d"}, Path("/h"))
    assert given["DOCKER_CONFIG"] == "/d"
