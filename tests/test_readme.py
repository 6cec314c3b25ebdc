"""Every command of the README runs."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers: [{name: web, image: "nginx:1.27"}]
"""

RIGHTS = """
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: all}, rules: [
  {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}, {nonResourceURLs: ["*"], verbs: ["*"]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: web},
  roleRef: {kind: ClusterRole, name: all}, subjects: [{kind: ServiceAccount, name: web, namespace: shop}]}
"""


def block(marker: str) -> list[str]:
    (found,) = re.findall(rf"<!-- {re.escape(marker)} -->\n```bash\n(.*?)```", README, re.DOTALL)
    lines = (line.split("  #")[0].strip() for line in found.splitlines())
    return [line for line in lines if line]


def kaudit(folder: Path, arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kaudit", *arguments.split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, **more
    )


def test_the_commands_of_an_audit(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/web.yaml").write_text(MANIFEST)
    for line in block("test: commands"):
        assert line.startswith("kaudit ")
        done = kaudit(tmp_path, line.removeprefix("kaudit "))
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "report").is_dir()
    assert (tmp_path / "results.json").stat().st_size > 1000


def test_the_questions_about_rights(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/roles.yaml").write_text(RIGHTS)
    for line in block("test: rights"):
        done = kaudit(tmp_path, line.removeprefix("kaudit "))
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert "shop" in done.stdout


def test_the_commands_on_images(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/web.yaml").write_text(MANIFEST)
    examples = ROOT / "tests/collectors/outputs"
    for tool in ("trivy", "grype"):
        (tmp_path / "scans" / tool).mkdir(parents=True)
        found = examples / tool / "image.json"
        (tmp_path / "scans" / tool / "image.json").write_bytes(found.read_bytes())
    for line in block("test: build"):
        done = kaudit(tmp_path, line.removeprefix("kaudit "))
        refused = line.startswith("kaudit gate")  # the examples hold something critical
        assert done.returncode == int(refused), f"{line}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "build-report" / "build.html").is_file()
    assert (tmp_path / "gate.sarif").stat().st_size > 500


def test_the_commands_on_runtime(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/web.yaml").write_text(MANIFEST)
    examples = ROOT / "tests/collectors/outputs"
    (tmp_path / "falco.jsonl").write_bytes((examples / "falco/pod.log").read_bytes())
    (tmp_path / "tetragon.log").write_bytes((examples / "tetragon/tetragon.log").read_bytes())
    for line in block("test: runtime"):
        done = kaudit(tmp_path, line.removeprefix("kaudit "))
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "runtime-report" / "runtime.pdf").is_file()


def test_the_commands_on_secrets(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(MANIFEST)
    assert kaudit(tmp_path, "collect web.yaml -o evidence.kaudit").returncode == 0
    for line in block("test: secrets"):
        done = kaudit(tmp_path, line.removeprefix("kaudit "))
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "secrets-report" / "secrets.pdf").is_file()


def test_statements_of_the_readme(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(statements:.*?)```", README, re.DOTALL)
    (tmp_path / "segmentation.yaml").write_text(text)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/web.yaml").write_text(MANIFEST)
    for line in block("test: segmentation"):
        done = kaudit(tmp_path, line.partition("#")[0].strip().removeprefix("kaudit "))
        assert done.returncode == 1, done.stderr  # it holds none of the namespaces
        assert "PCI-1" in done.stdout


def test_standard_input_and_exit_code(tmp_path: Path) -> None:
    assert "| kaudit assess - --fail-on high" in README
    done = kaudit(tmp_path, "assess - --fail-on high", input=MANIFEST)
    assert done.returncode == 1
    assert "findings at or above high" in done.stderr


def test_waivers_of_the_readme(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(waivers:.*?)```", README, re.DOTALL)
    (tmp_path / "waivers.yaml").write_text(text)
    (tmp_path / "web.yaml").write_text(MANIFEST)
    done = kaudit(tmp_path, "assess web.yaml --waivers waivers.yaml")
    assert done.returncode == 0, done.stderr


def test_python_of_the_readme(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/web.yaml").write_text(MANIFEST)
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_papermill_alone(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(MANIFEST)
    assert kaudit(tmp_path, "collect web.yaml -o evidence.kaudit").returncode == 0
    notebook = ROOT / "notebooks/audit.ipynb"
    assert f"papermill {notebook.relative_to(ROOT)} out.ipynb -p evidence evidence.kaudit" in README
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "papermill",
            str(notebook),
            "out.ipynb",
            "-p",
            "evidence",
            "evidence.kaudit",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
