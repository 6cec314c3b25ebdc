"""Containers of every type, with ports, probes, mounts and variables."""

from datetime import UTC, datetime

from tests.memory_source import evidence_of, rows, said

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, uid: u, namespace: n}\n"


def test_every_column_of_a_container() -> None:
    evidence = evidence_of("""
apiVersion: v1
kind: Pod
metadata:
  name: p
  uid: u
  namespace: n
  annotations:
    container.seccomp.security.alpha.kubernetes.io/c: unconfined
    container.apparmor.security.beta.kubernetes.io/c: runtime/default
spec:
  containers:
    - name: c
      image: registry.example/app:1
      imagePullPolicy: Always
      command: [run, --password=correct-horse]
      args: [--token, abcdefgh12345678, --verbose]
      stdin: true
      tty: false
      ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81, hostPort: 0}]
      resources:
        requests: {cpu: 0.1, memory: 64Mi, ephemeral-storage: 1G}
        limits: {cpu: 1, memory: 128974848, ephemeral-storage: 2G}
      livenessProbe: {exec: {command: ["true"]}}
      startupProbe: {grpc: {port: 9}}
      securityContext:
        privileged: false
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        runAsUser: 0
        runAsGroup: 1
        procMount: Unmasked
        capabilities: {add: [NET_ADMIN], drop: [ALL]}
        seccompProfile: {type: Unconfined}
        appArmorProfile: {type: Localhost, localhostProfile: p}
        seLinuxOptions: {type: t, user: u, role: r}
        windowsOptions: {hostProcess: true}
status:
  containerStatuses:
    - name: c
      imageID: registry.example/app@sha256:00
      containerID: containerd://1
      ready: true
      restartCount: 3
      state: {running: {startedAt: "2026-01-01T00:00:00Z"}}
""")
    assert rows(evidence, "containers") == [
        {
            "pod_uid": "u",
            "namespace": "n",
            "pod": "p",
            "container": "c",
            "container_type": "regular",
            "position": 0,
            "image": "registry.example/app:1",
            "image_id": "registry.example/app@sha256:00",
            "image_pull_policy": "Always",
            "command": ["run", "--password=[masked: named as a credential]"],
            "args": ["--token", "[masked: named as a credential]", "--verbose"],
            "privileged": False,
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "run_as_non_root": True,
            "run_as_user": 0,
            "run_as_group": 1,
            "capabilities_add": ["NET_ADMIN"],
            "capabilities_drop": ["ALL"],
            "proc_mount": "Unmasked",
            "seccomp_type": "Unconfined",
            "seccomp_profile": None,
            "seccomp_annotation": "unconfined",
            "apparmor_type": "Localhost",
            "apparmor_annotation": "runtime/default",
            "selinux_type": "t",
            "selinux_user": "u",
            "selinux_role": "r",
            "windows_host_process": True,
            "cpu_request_cores": 0.1,
            "cpu_limit_cores": 1.0,
            "memory_request_bytes": 67108864,
            "memory_limit_bytes": 128974848,
            "storage_request_bytes": 1000000000,
            "storage_limit_bytes": 2000000000,
            "liveness_probe": True,
            "readiness_probe": False,
            "startup_probe": True,
            "host_ports": ["8080"],
            "target_container": None,
            "stdin": True,
            "tty": False,
            "ready": True,
            "restarts": 3,
            "container_id": "containerd://1",
            "started_at": datetime(2026, 1, 1, tzinfo=UTC),
            "state": "running",
        }
    ]


def test_what_a_container_leaves_unset_is_null() -> None:
    evidence = evidence_of(POD + "spec: {containers: [{name: c}]}")
    assert (
        said(evidence, "containers")
        == [
            {
                "pod_uid": "u",
                "namespace": "n",
                "pod": "p",
                "container": "c",
                "container_type": "regular",
                "position": 0,
            }
        ]
        or said(evidence, "containers")[0].get("position") is None
    )
    found = rows(evidence, "containers", "privileged", "image", "cpu_limit_cores", "ready")
    assert found == [{"privileged": None, "image": None, "cpu_limit_cores": None, "ready": None}]


def test_types_of_containers_and_whose_status_is_whose() -> None:
    evidence = evidence_of(
        POD
        + """
spec:
  containers: [{name: a}, {name: b}]
  initContainers: [{name: setup}, {name: proxy, restartPolicy: Always}, {name: odd, restartPolicy: Never}]
  ephemeralContainers: [{name: debug, targetContainerName: a}]
status:
  containerStatuses:
    - {name: b, ready: false, state: {waiting: {reason: CrashLoopBackOff}}}
    - {name: a, ready: true, imageID: "", state: {running: {}}}
  initContainerStatuses:
    - {name: setup, state: {terminated: {reason: Completed}}}
    - {name: proxy, ready: true}
  ephemeralContainerStatuses: [{name: debug, restartCount: 0}]
"""
    )
    columns = ("container_type", "container", "position", "ready", "state", "target_container")
    assert [tuple(row.values()) for row in rows(evidence, "containers", *columns)] == [
        ("ephemeral", "debug", 0, None, None, "a"),
        ("init", "odd", 2, None, None, None),
        ("init", "setup", 0, None, "Completed", None),
        ("regular", "a", 0, True, "running", None),
        ("regular", "b", 1, False, "CrashLoopBackOff", None),
        ("sidecar", "proxy", 1, True, None, None),
    ]


def test_ports() -> None:
    evidence = evidence_of(
        POD
        + """
spec:
  containers:
    - name: c
      ports:
        - {containerPort: 80}
        - {name: dns, containerPort: 53, protocol: UDP, hostPort: 53, hostIP: 0.0.0.0}
        - {}
"""
    )
    columns = ("position", "port", "port_name", "protocol", "host_port", "host_ip")
    assert [tuple(row.values()) for row in rows(evidence, "ports", *columns)] == [
        (0, 80, None, "TCP", None, None),
        (1, 53, "dns", "UDP", 53, "0.0.0.0"),
        (2, None, None, "TCP", None, None),
    ]


def test_probes_and_hooks() -> None:
    evidence = evidence_of(
        POD
        + """
spec:
  containers:
    - name: c
      livenessProbe: {httpGet: {host: "", port: http, path: /up, scheme: HTTPS}}
      readinessProbe: {tcpSocket: {host: db.example, port: 5432}}
      startupProbe: {}
      lifecycle:
        postStart: {exec: {command: [sh, -c, "curl -H token=abcdefgh12345678 x"]}}
        preStop: {httpGet: {host: 169.254.169.254, port: 80}}
    - {name: d, lifecycle: {preStop: {grpc: {port: 1}}}}
"""
    )
    columns = ("container", "probe", "handler", "host", "port", "path", "scheme", "command")
    assert [tuple(row.values()) for row in rows(evidence, "probes", *columns)] == [
        ("c", "liveness", "httpGet", None, "http", "/up", "HTTPS", []),
        (
            "c",
            "postStart",
            "exec",
            None,
            None,
            None,
            None,
            ["sh", "-c", "curl -H token=[masked: named as a credential] x"],
        ),
        ("c", "preStop", "httpGet", "169.254.169.254", "80", None, None, []),
        ("c", "readiness", "tcpSocket", "db.example", "5432", None, None, []),
        ("c", "startup", "none", None, None, None, None, []),
        ("d", "preStop", "grpc", None, "1", None, None, []),
    ]


def test_mounts_and_devices() -> None:
    evidence = evidence_of(
        POD
        + """
spec:
  containers:
    - name: c
      volumeMounts:
        - {name: v, mountPath: /a}
        - {name: v, mountPath: /b, readOnly: true, recursiveReadOnly: Enabled, subPath: s}
        - {name: v, mountPath: /c, readOnly: false, subPathExpr: $(X), mountPropagation: Bidirectional}
      volumeDevices: [{name: disk, devicePath: /dev/x}, {name: bare}]
"""
    )
    columns = ("mount_path", "volume", "read_only", "recursive_read_only", "sub_path", "device")
    assert [tuple(row.values()) for row in rows(evidence, "mounts", *columns)] == [
        ("", "bare", None, None, None, True),
        ("/a", "v", None, None, None, False),
        ("/b", "v", True, "Enabled", "s", False),
        ("/c", "v", False, None, "$(X)", False),
        ("/dev/x", "disk", None, None, None, True),
    ]
    propagation = [row["propagation"] for row in rows(evidence, "mounts")]
    assert propagation == [None, None, None, "Bidirectional", None]


ENVIRONMENT = """
spec:
  containers:
    - name: c
      env:
        - {name: PLAIN, value: x}
        - {name: EMPTY}
        - {name: DB_PASSWORD, value: correct-horse-battery}
        - {name: URL, value: "postgres://app:staple@db/app"}
        - {name: A, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}
        - {name: B, valueFrom: {configMapKeyRef: {name: m, key: k}}}
        - {name: C, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: D, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: E, valueFrom: {fileKeyRef: {}}}
        - {name: F, valueFrom: {}}
      envFrom:
        - {secretRef: {name: s}}
        - {prefix: X_, configMapRef: {name: m, optional: false}}
        - {}
"""


def test_variables() -> None:
    evidence = evidence_of(POD + ENVIRONMENT)
    columns = ("position", "variable", "source", "whole", "reference", "key", "optional", "verdict")
    assert [tuple(row.values()) for row in rows(evidence, "env", *columns)] == [
        (0, "PLAIN", "literal", False, None, None, None, ""),
        (1, "EMPTY", "none", False, None, None, None, ""),
        (2, "DB_PASSWORD", "literal", False, None, None, None, "named as a credential"),
        (3, "URL", "literal", False, None, None, None, "URL with password"),
        (4, "A", "secret", False, "s", "k", True, ""),
        (5, "B", "configMap", False, "m", "k", None, ""),
        (6, "C", "field", False, "status.podIP", None, None, ""),
        (7, "D", "resource", False, "limits.cpu", None, None, ""),
        (8, "E", "file", False, None, None, None, ""),
        (9, "F", "none", False, None, None, None, ""),
        (10, "*", "secret", True, "s", None, None, ""),
        (11, "X_*", "configMap", True, "m", None, False, ""),
        (12, "*", "none", True, None, None, None, ""),
    ]


def test_no_literal_is_kept() -> None:
    record = str(evidence_of(POD + ENVIRONMENT).record("pods", 1))
    assert "correct-horse" not in record
    assert "staple" not in record
    assert "DB_PASSWORD" in record
