"""More places: networks and meshes, engines' parameters, and what sensors and logs write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
#: Of objects of the API, then of what sensors and nodes write.
OBJECTS = (
    *("cni-args", "cni-config", "network-status", "user-data", "network-data", "policy-note"),
    *("mesh-when", "mesh-config", "parameter", "assigned", "header-of-context", "event"),
)
FILES = ("audit", "falco", "tetragon", "registry", "registry-user")


def canary(place: str) -> str:
    """Value of a place, without what would make it look like one of an issuer."""
    return f"CANARY-{place}-7d1f20c4b9"


def objects() -> list[Json]:
    return [*_networks(), *_meshes(), *_engines(), _event()]


def thing(api: str, kind: str, name: str, **body: Any) -> Json:
    meta = {"name": name, "namespace": "planted", **body.pop("meta", {})}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **body}


def _networks() -> list[Json]:
    asked = [{"name": "side", "cni-args": {"join": canary("cni-args")}}]
    got = [{"name": "planted/side", "ips": ["10.9.0.4"], "dns": {"x": canary("network-status")}}]
    notes = {
        "k8s.v1.cni.cncf.io/networks": json.dumps(asked),
        "k8s.v1.cni.cncf.io/network-status": json.dumps(got),
        "proxy.istio.io/config": f"proxyMetadata: {{TOKEN: {canary('mesh-config')}}}",
    }
    config = {"type": "wireguard", "join": canary("cni-config")}
    data = f"# {canary('network-data')}\nethernets:\n  eth1:\n    addresses:\n    - 10.9.0.5/24\n"
    disk = {"userData": f"password: {canary('user-data')}", "networkData": data}
    spec = {"volumes": [{"name": "v", "cloudInitNoCloud": disk}]}
    noted = {"k8s.v1.cni.cncf.io/policy-for": json.dumps([{"name": canary("policy-note")[:0]}])}
    policy = {"annotations": {**noted, "example.org/note": canary("policy-note")}}
    app = {"containers": [{"name": "c", "image": "i"}]}
    return [
        thing("v1", "Pod", "attached", spec=app, meta={"annotations": notes}),
        thing(
            "k8s.cni.cncf.io/v1",
            "NetworkAttachmentDefinition",
            "side",
            spec={"config": json.dumps(config)},
        ),
        thing("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "p", spec={}, meta=policy),
        thing("kubevirt.io/v1", "VirtualMachine", "vm", spec={"template": {"spec": spec}}),
    ]


def _meshes() -> list[Json]:
    when = [{"key": "request.headers[x-api-key]", "values": [canary("mesh-when")]}]
    spec = {"action": "ALLOW", "rules": [{"when": when}]}
    return [thing("security.istio.io/v1", "AuthorizationPolicy", "a", spec=spec)]


def _engines() -> list[Json]:
    value = {"assign": {"value": canary("assigned")}}
    header = {"key": "Authorization", "value": f"Bearer {canary('header-of-context')}"}
    call = {"service": {"url": "https://known.example", "headers": [header]}}
    rule = {
        "name": "r",
        "context": [{"name": "known", "apiCall": call}],
        "validate": {"message": "m", "pattern": {"metadata": {"name": "?*"}}},
    }
    parameters = {"password": canary("parameter"), "names": [canary("parameter")]}
    return [
        thing("constraints.gatekeeper.sh/v1beta1", "Asks", "c", spec={"parameters": parameters}),
        thing("mutations.gatekeeper.sh/v1", "Assign", "m", spec={"parameters": value}),
        thing("kyverno.io/v1", "ClusterPolicy", "asks", spec={"rules": [rule]}),
    ]


def _event() -> Json:
    return thing(
        "v1",
        "Event",
        "e",
        involvedObject={"kind": "Pod", "name": "attached", "namespace": "planted"},
        reason="Failed",
        message=f"exec: login --password={canary('event')} failed",
        type="Warning",
    )


def write(folder: Path) -> None:
    """Write what sensors and nodes write beside the cluster."""
    secret = {"kind": "Secret", "stringData": {"token": canary("audit")}}
    asked = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "1",
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/planted/secrets?token={canary('audit')}",
        "verb": "create",
        "user": {"username": "ann"},
        "objectRef": {"resource": "secrets", "namespace": "planted", "name": "s"},
        "responseStatus": {"code": 201},
        "requestObject": secret,
        "responseObject": secret,
        "requestReceivedTimestamp": "2026-01-01T10:00:00.000000Z",
    }
    (folder / "audit.log").write_text(json.dumps(asked) + "\n")
    line = f"mysql --password={canary('falco')}"
    alert = {
        "time": "2026-01-01T10:00:00.000000000Z",
        "rule": "Shell",
        "priority": "Warning",
        "source": "syscall",
        "output": f"a shell ran {line}",
        "output_fields": {"proc.cmdline": line, "evt.buffer": canary("falco")},
    }
    (folder / "falco.jsonl").write_text(json.dumps(alert) + "\n")
    process = {"binary": "/bin/login", "arguments": f"--password={canary('tetragon')}"}
    event = {
        "process_exec": {"process": {**process, "exec_id": "x", "pid": 7}},
        "node_name": "n",
        "time": "2026-01-01T10:00:00Z",
    }
    (folder / "tetragon.log").write_text(json.dumps(event) + "\n")
    header = f'  [host."http://robot:{canary("registry-user")}@cache.example".header]\n'
    hosts = folder / "certs.d" / "registry.example"
    hosts.mkdir(parents=True)
    (hosts / "hosts.toml").write_text(
        'server = "https://registry.example"\n'
        f'[host."http://robot:{canary("registry-user")}@cache.example"]\n'
        f'  capabilities = ["pull"]\n{header}    authorization = "Bearer {canary("registry")}"\n'
    )
