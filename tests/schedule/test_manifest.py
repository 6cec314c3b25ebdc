"""The printed manifests keep to what kaudit itself asks of workloads."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kaudit import registry
from kaudit.assess import assess
from kaudit.errors import InputError
from kaudit.model.quantity import number
from kaudit.parameters import Parameters
from kaudit.pss import verdicts
from kaudit.rbac import manifest as rbac
from kaudit.schedule.manifest import manifest
from kaudit.schedule.plan import Plan
from kaudit.waivers import load_waivers
from tests.memory_source import evidence_of
from tests.schedule.test_plan import IMAGE
from tests.test_cli import run

#: Findings that nothing in the manifests can answer.
EXPLAINED = {
    "KA-BLD-021a": "advisory: whether the registry wants a credential is not ours to know",
    "KA-DEP-062": "templates of Gatekeeper make kinds whose names nobody knows before: all are listed",
}
#: What comes with the right to list Secrets, whose metadata RBAC cannot grant alone.
OF_SECRETS = {"KA-SEC-015", "KA-SEC-016", "KA-DEP-075"}


def printed(**more: Any) -> dict[tuple[str, str], dict[str, Any]]:
    found = yaml.safe_load_all(manifest(Plan(image=IMAGE, **more)))
    return {(item["kind"], item["metadata"]["name"]): item for item in found}


def pod(**more: Any) -> dict[str, Any]:
    job = printed(**more)["CronJob", "kaudit"]["spec"]["jobTemplate"]
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def failing(text: str) -> set[str]:
    registry.load()
    return set(assess(evidence_of(text)).findings["control"])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"api_server": ("203.0.113.7",), "storage": "fast", "version": "v1.34"},
        {"kinds": ("pods", "namespaces"), "namespace": "audit", "owner": "platform"},
    ],
)
def test_our_own_controls_find_nothing(more: dict[str, Any]) -> None:
    named = {"KA-DEP-062"} if "kinds" in more else set()  # no kind of a constraint among them
    assert failing(manifest(Plan(image=IMAGE, **more))) == set(EXPLAINED) - named


def test_the_right_to_list_secrets_is_found_and_told() -> None:
    text = manifest(Plan(image=IMAGE, secrets="metadata"))
    assert failing(text) == set(EXPLAINED) | OF_SECRETS
    assert "RBAC cannot grant the metadata of Secrets alone" in text
    assert "RBAC cannot" not in manifest(Plan(image=IMAGE))


@pytest.mark.parametrize("version", ["v1.25", "latest"])
def test_its_pod_is_of_the_restricted_level(version: str) -> None:
    judged = list(verdicts(evidence_of(manifest(Plan(image=IMAGE))), "restricted", version))
    assert [(v.kind, v.allowed) for v in judged] == [("CronJob", True)]


def test_the_account_is_that_of_kaudit_rbac() -> None:
    for secrets in (False, True):
        given = {d["kind"]: d for d in yaml.safe_load_all(rbac(secrets=secrets))}
        found = printed(secrets="table" if secrets else "none")
        assert found["ClusterRole", "kaudit"]["rules"] == given["ClusterRole"]["rules"]
        binding = found["ClusterRoleBinding", "kaudit"]
        assert binding["subjects"] == given["ClusterRoleBinding"]["subjects"]


def test_only_the_container_that_collects_sees_the_token() -> None:
    spec = pod()
    assert spec["automountServiceAccountToken"] is False
    (volume,) = [v["name"] for v in spec["volumes"] if "projected" in v]
    with_token = [
        container["name"]
        for container in spec["initContainers"] + spec["containers"]
        if volume in [mount["name"] for mount in container["volumeMounts"]]
    ]
    assert with_token == ["collect"]


def test_runs_end_and_do_not_overlap() -> None:
    spec = printed(schedule="@weekly")["CronJob", "kaudit"]["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("@weekly", "Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] > 0
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] > 0
    assert spec["successfulJobsHistoryLimit"] == spec["failedJobsHistoryLimit"] == 3


def test_scratch_fits_what_a_container_may_write() -> None:
    sizes = {v["name"]: v["emptyDir"]["sizeLimit"] for v in pod()["volumes"] if "emptyDir" in v}
    assert sizes == {"home": "256Mi", "tmp": "1Gi"}
    limits = pod()["containers"][0]["resources"]["limits"]
    assert limits["ephemeral-storage"] == "2Gi"


def test_the_quota_lets_two_runs_in() -> None:
    hard = printed()["ResourceQuota", "kaudit"]["spec"]["hard"]
    assert hard["pods"] == "2"
    for container in pod()["initContainers"] + pod()["containers"]:
        for which in ("requests", "limits"):
            for name, amount in container["resources"][which].items():
                room, taken = number(hard.get(f"{which}.{name}", "1Ti")), number(amount)
                assert room is not None
                assert taken is not None
                assert taken * 2 <= room, (container["name"], which, name)


def test_egress() -> None:
    names, server = printed()["NetworkPolicy", "kaudit"]["spec"]["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert [port["port"] for port in server.pop("ports")] == [443, 6443]
    assert server == {}
    narrow = printed(api_server=("203.0.113.7",))["NetworkPolicy", "kaudit"]["spec"]["egress"][1]
    assert narrow["to"] == [{"ipBlock": {"cidr": "203.0.113.7/32"}}]
    deny = printed()["NetworkPolicy", "default-deny"]["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_options_reach_their_objects() -> None:
    found = printed(namespace="audit", size="1Ti", storage="fast", keep=7, secrets="table")
    claim = found["PersistentVolumeClaim", "kaudit"]["spec"]
    assert claim["resources"]["requests"]["storage"] == "1Ti"
    assert claim["storageClassName"] == "fast"
    assert "storageClassName" not in printed()["PersistentVolumeClaim", "kaudit"]["spec"]
    assert {item["metadata"].get("namespace", "audit") for item in found.values()} == {"audit"}
    first, second = pod(keep=7, secrets="table")["initContainers"]
    assert first["args"][-2:] == ["--keep", "7"]
    assert second["args"][2:4] == ["--secrets", "table"]


def test_decisions_and_waivers_come_back_as_they_were(tmp_path: Path) -> None:
    given = tmp_path / "given.yaml"
    given.write_text(
        "waivers: [{id: W-1, control: KA-DEP-001, reason: 'a: #b', owner: o, approver: p, "
        "expires: 2026-12-31}]"
    )
    decided = Parameters(allowed_registries=("registry.example.com",), secret_max_age_days=30)
    data = printed(parameters=decided, waivers=load_waivers(given))["ConfigMap", "kaudit"]["data"]
    assert yaml.safe_load(data["parameters.yaml"])["secret_max_age_days"] == 30
    (tmp_path / "waivers.yaml").write_text(data["waivers.yaml"])
    assert load_waivers(tmp_path / "waivers.yaml") == load_waivers(given)
    (tmp_path / "parameters.yaml").write_text(data["parameters.yaml"])
    from kaudit.cli.options import Decisions
    from kaudit.cli.sources import decided as read

    written = Decisions(parameters=tmp_path / "parameters.yaml")
    assert read(written) == decided
    assert read(written._replace(parameter=["secret_max_age_days=9"])).secret_max_age_days == 9


def test_the_same_text_every_time() -> None:
    assert manifest(Plan(image=IMAGE)) == manifest(Plan(image=IMAGE))


def test_the_account_and_the_collection_know_the_same_kinds() -> None:
    spec = pod(kinds=("pods", "namespaces"))
    (collect,) = (c for c in spec["initContainers"] if c["name"] == "collect")
    assert collect["args"][2:4] == ["--kinds", "pods,namespaces"]
    assert "--kinds" not in str(pod())


def test_kinds_are_known() -> None:
    with pytest.raises(InputError, match=r"no collector reads 'pod' \(.*pods"):
        manifest(Plan(image=IMAGE, kinds=("pod",)))
    with pytest.raises(InputError, match="the account would read nothing"):
        manifest(Plan(image=IMAGE, kinds=("secrets",)))


def test_the_command() -> None:
    code, out, err = run("schedule", "--image", IMAGE, "--kinds", "pods, namespaces")
    assert code == 0
    found = {d["kind"]: d for d in yaml.safe_load_all(out)}
    rules = found["ClusterRole"]["rules"]
    assert rules == [{"apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["list"]}]
    assert "see --api-server" in err
    assert run("schedule", "--image", IMAGE, "--api-server", "203.0.113.7")[2] == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "missing option '--image'"),
        (["--image", "kaudit:1"], "has no digest"),
        (["--image", IMAGE, "--namespace", "A"], "is no name of a namespace"),
        (["--image", IMAGE, "--parameters", "missing.yaml"], "cannot be read"),
        (["--image", IMAGE, "--waivers", "missing.yaml"], "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_printed(arguments: list[str], said: str) -> None:
    code, out, err = run("schedule", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_file_that_holds_no_decisions(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("- owner_labels")
    code, _, err = run("assess", str(tmp_path), "--parameters", str(tmp_path / "p.yaml"))
    assert code == 2
    assert "holds no decisions" in err
