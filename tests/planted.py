"""A cluster and files of tools with a canary of its own wherever a secret value can hide."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

from tests import planted_signals
from tests.planted_signals import canary, thing

Json = dict[str, Any]
#: What tools, sensors and nodes write.
FILES = ("encryption", "dockerfile", "workflow", "trivy", "hadolint", *planted_signals.FILES)
#: Of objects of the API, then of files.
PLACES = (
    *("data", "stringData", "applied", "managed", "release", "pull", "annotation", "label"),
    *("env", "init-env", "env-url", "template-env", "arg", "command", "probe", "hook", "header"),
    *("query", "config", "config-url", "config-file", "binary", "fake", "inline", "template"),
    *("template-literal", "message", "generator", "sealed", "parameters", "class", "volume"),
    *("webhook", "snippet", "generated", "csi", "reference"),
    *planted_signals.OBJECTS,
    *FILES,
)


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def objects() -> list[Json]:
    return [*_core(), *_workloads(), *_stores(), *_others(), *planted_signals.objects()]


def _core() -> list[Json]:
    c = canary
    applied = json.dumps({"kind": "Secret", "data": {"password": coded(c("applied"))}})
    fields: dict[str, Any] = {
        "f:data": {"f:password": {}},
        "f:metadata": {f'v:"{c("managed")}"': {}},
    }
    packed = base64.b64encode(gzip.compress(c("release").encode(), mtime=0)).decode()
    login = {"auths": {"registry.example": {"auth": coded(f"robot:{c('pull')}")}}}
    return [
        thing(
            "v1",
            "Secret",
            "both",
            type="Opaque",
            data={"password": coded(c("data"))},
            stringData={"token": c("stringData")},
            meta={
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": applied,
                    "example.org/note": c("annotation"),
                },
                "managedFields": [{"manager": "m", "operation": "Update", "fieldsV1": fields}],
            },
        ),
        thing(
            "v1",
            "Secret",
            "sh.helm.release.v1.web.v1",
            type="helm.sh/release.v1",
            data={"release": coded(packed), "plain": coded(coded(c("release")))},
        ),
        thing(
            "v1",
            "Secret",
            "registry",
            type="kubernetes.io/dockerconfigjson",
            data={".dockerconfigjson": coded(json.dumps(login))},
        ),
        thing(
            "v1",
            "ConfigMap",
            "settings",
            data={
                "db-password": c("config"),
                "url": f"postgres://app:{c('config-url')}@db/app",
                "app.yaml": f"database: {{password: {c('config-file')}}}\n",
            },
            binaryData={"store.jks": coded(c("binary"))},
        ),
    ]


def _workloads() -> list[Json]:
    c = canary
    header = {"name": "Authorization", "value": f"Bearer {c('header')}"}
    app = {
        "name": "app",
        "image": "registry.example.org/app:1",
        "args": [f"--password={c('arg')}"],
        "env": [
            {"name": "DB_PASSWORD", "value": c("env")},
            {"name": "UPSTREAM", "value": f"postgres://app:{c('env-url')}@db/app"},
        ],
        "livenessProbe": {
            "httpGet": {"port": 80, "path": f"/ok?token={c('query')}", "httpHeaders": [header]}
        },
        "readinessProbe": {"exec": {"command": ["check", f"--password={c('probe')}"]}},
        "lifecycle": {"preStop": {"exec": {"command": ["stop", "--token", c("hook")]}}},
    }
    init = {
        "name": "init",
        "image": "registry.example.org/init:1",
        "command": ["sh", "-c", f"export DB_PASSWORD={c('command')}; exec init"],
        "env": [{"name": "API_TOKEN", "value": c("init-env")}],
    }
    csi = {"driver": "files.example", "volumeAttributes": {"password": c("csi")}}
    volumes = [{"name": "v", "csi": csi}]
    spec = {"initContainers": [init], "containers": [app], "volumes": volumes}
    job = {"name": "j", "image": "i", "env": [{"name": "API_KEY", "value": c("template-env")}]}
    template = {"spec": {"restartPolicy": "Never", "containers": [job]}}
    return [
        thing("v1", "Pod", "web", spec=spec),
        thing(
            "batch/v1",
            "CronJob",
            "nightly",
            spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}},
        ),
    ]


def _stores() -> list[Json]:
    c = canary
    api = "external-secrets.io/v1"
    shape = {
        "data": {"config": c("template")},
        "templateFrom": [{"literal": c("template-literal")}],
    }
    remote = {"key": f"https://store/?token={c('reference')}"}
    entry = {"secretKey": "p", "remoteRef": remote}
    condition = {"type": "Ready", "status": "False", "message": f"password={c('message')}"}
    return [
        thing(
            api,
            "ExternalSecret",
            "shaped",
            spec={"target": {"template": shape}, "data": [entry]},
            status={"conditions": [condition]},
        ),
        thing(
            api,
            "SecretStore",
            "fake",
            spec={"provider": {"fake": {"data": [{"key": "k", "value": c("fake")}]}}},
        ),
        thing(
            api,
            "SecretStore",
            "inline",
            spec={"provider": {"delinea": {"clientSecret": {"value": c("inline")}}}},
        ),
        thing(
            "generators.external-secrets.io/v1alpha1",
            "Fake",
            "made",
            spec={"data": {"password": c("generator")}},
        ),
        thing(
            "bitnami.com/v1alpha1",
            "SealedSecret",
            "sealed",
            spec={"encryptedData": {"password": c("sealed")}},
        ),
        thing(
            "secrets-store.csi.x-k8s.io/v1",
            "SecretProviderClass",
            "mounted",
            spec={"provider": "vault", "parameters": {"objects": c("parameters")}},
        ),
    ]


def _others() -> list[Json]:
    c = canary
    hook = {
        "name": "h.example",
        "clientConfig": {"url": f"https://user:{c('webhook')}@hook.example/"},
        "rules": [],
    }
    snippet = f'proxy_set_header X "y"; set password={c("snippet")};'
    rule = {
        "name": "r",
        "generate": {"kind": "Secret", "data": {"stringData": {"password": c("generated")}}},
    }
    driver = {"driver": "d", "volumeHandle": "v", "volumeAttributes": {"key": c("volume")}}
    return [
        thing(
            "storage.k8s.io/v1",
            "StorageClass",
            "old",
            provisioner="kubernetes.io/glusterfs",
            parameters={"restuserkey": c("class")},
        ),
        thing("v1", "PersistentVolume", "v", spec={"csi": driver}),
        thing(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "w",
            webhooks=[hook],
        ),
        thing(
            "networking.k8s.io/v1",
            "Ingress",
            "i",
            spec={},
            meta={
                "annotations": {"nginx.ingress.kubernetes.io/configuration-snippet": snippet},
            },
        ),
        thing("kyverno.io/v1", "ClusterPolicy", "p", spec={"rules": [rule]}),
        thing(
            "v1",
            "ServiceAccount",
            "marked",
            meta={"labels": {"token": "ghp_" + "A1b2C3d4" * 4 + "E5f6"}},
        ),
    ]


def write(folder: Path) -> Path:
    """Write the cluster as one List, and what tools wrote beside it."""
    folder.mkdir(parents=True)
    whole = {"apiVersion": "v1", "kind": "List", "items": objects()}
    (folder / "cluster.json").write_text(json.dumps(whole))
    image = f"FROM scratch\nARG API_TOKEN={canary('dockerfile')}\nENV DB_PASSWORD=${{API_TOKEN}}\n"
    (folder / "Dockerfile").write_text(image)
    step = f"{{run: make, env: {{DB_PASSWORD: {canary('workflow')}}}}}"
    flow = f"on: push\njobs:\n  b:\n    runs-on: u\n    steps:\n      - {step}\n"
    (folder / "ci.yaml").write_text(flow)
    keys = [{"name": "k", "secret": f"{canary('encryption')}"}]
    entry = {"resources": ["secrets"], "providers": [{"aescbc": {"keys": keys}}]}
    api = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration"}
    (folder / "encryption.json").write_text(json.dumps({**api, "resources": [entry]}))
    lines = [{"Number": 1, "Content": f"key={canary('trivy')}"}]
    secret = {
        "RuleID": "generic",
        "Category": "g",
        "Severity": "HIGH",
        "Title": "key",
        "StartLine": 1,
        "EndLine": 1,
        "Code": {"Lines": lines},
        "Match": f"key={canary('trivy')}",
    }
    scan = {
        "SchemaVersion": 2,
        "ArtifactName": "app",
        "ArtifactType": "container_image",
        "Results": [{"Target": "/key", "Class": "secret", "Secrets": [secret]}],
    }
    (folder / "trivy.json").write_text(json.dumps(scan))
    lint = [
        {
            "line": 1,
            "code": "DL3025",
            "message": f"do not: --password={canary('hadolint')}",
            "column": 1,
            "file": "Dockerfile",
            "level": "warning",
        }
    ]
    (folder / "hadolint.json").write_text(json.dumps(lint))
    planted_signals.write(folder)
    return folder
