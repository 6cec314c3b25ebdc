"""Pods, what templates would make, and their volumes."""

from datetime import UTC, datetime

import pytest

from tests.memory_source import broken, evidence_of, rows, said

FULL = """
apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: shop
  uid: u1
  creationTimestamp: "2026-01-02T03:04:05Z"
  deletionTimestamp: "2026-01-03T00:00:00+01:00"
  labels: {b: "2", a: "1", empty: ""}
  annotations:
    note: dropped
    seccomp.security.alpha.kubernetes.io/pod: runtime/default
    container.apparmor.security.beta.kubernetes.io/web: unconfined
    kubectl.kubernetes.io/last-applied-configuration: '{"x": "hunter2"}'
  ownerReferences:
    - {apiVersion: v1, kind: Other, name: x, uid: o0}
    - {apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: o1, controller: true}
spec:
  nodeName: n1
  serviceAccountName: robot
  automountServiceAccountToken: false
  hostNetwork: true
  hostPID: false
  hostIPC: true
  hostUsers: false
  shareProcessNamespace: true
  os: {name: linux}
  runtimeClassName: gvisor
  priorityClassName: high
  restartPolicy: Never
  dnsPolicy: Default
  enableServiceLinks: false
  nodeSelector: {zone: z, disk: ssd}
  tolerations: [{operator: Exists}, {key: k, value: v, effect: NoSchedule}]
  topologySpreadConstraints: [{topologyKey: zone, labelSelector: {matchLabels: {a: "1"}}}]
  affinity:
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - {topologyKey: zone, labelSelector: {matchLabels: {b: "2"}}}
        - {topologyKey: zone}
        - {topologyKey: zone, labelSelector: {}, mismatchLabelKeys: [b]}
      preferredDuringSchedulingIgnoredDuringExecution:
        - {weight: 1, podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {a: "1"}}}}
  hostAliases: [{ip: 1.2.3.4, hostnames: [a.example, b.example]}]
  imagePullSecrets: [{name: pull}]
  resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 2, memory: 1.5Gi}}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 0
    fsGroup: 2000
    supplementalGroups: [1, 2]
    supplementalGroupsPolicy: Strict
    sysctls: [{name: net.core.somaxconn, value: "1"}, {name: kernel.msgmax, value: "1"}]
    seccompProfile: {type: Localhost, localhostProfile: p.json}
    appArmorProfile: {type: RuntimeDefault}
    seLinuxOptions: {type: t, user: u, role: r, level: l}
    windowsOptions: {hostProcess: false}
  containers: []
status:
  phase: Running
  podIP: 10.0.0.1
  podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
  startTime: "2026-01-02T03:05:00Z"
"""


def test_every_column_of_a_pod() -> None:
    assert rows(evidence_of(FULL), "pods") == [
        {
            "pod_uid": "u1",
            "namespace": "shop",
            "pod": "web-1",
            "origin": "object",
            "kind": "Pod",
            "controller_kind": "ReplicaSet",
            "controller_name": "web",
            "controller_uid": "o1",
            "mirror": False,
            "labels": ["a=1", "b=2", "empty="],
            "annotation_keys": [
                "container.apparmor.security.beta.kubernetes.io/web",
                "note",
                "seccomp.security.alpha.kubernetes.io/pod",
            ],
            "mesh_annotations": [],
            "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "deleting": True,
            "phase": "Running",
            "node": "n1",
            "pod_ips": ["10.0.0.1", "fd00::1"],
            "networks": [],
            "started_at": datetime(2026, 1, 2, 3, 5, tzinfo=UTC),
            "service_account": "robot",
            "automount_token": False,
            "host_network": True,
            "host_pid": False,
            "host_ipc": True,
            "host_users": False,
            "share_process_namespace": True,
            "os": "linux",
            "runtime_class": "gvisor",
            "priority_class": "high",
            "restart_policy": "Never",
            "dns_policy": "Default",
            "enable_service_links": False,
            "run_as_non_root": True,
            "run_as_user": 1000,
            "run_as_group": 0,
            "fs_group": 2000,
            "supplemental_groups": ["1", "2"],
            "supplemental_groups_policy": "Strict",
            "sysctls": ["kernel.msgmax", "net.core.somaxconn"],
            "seccomp_type": "Localhost",
            "seccomp_profile": "p.json",
            "seccomp_annotation": "runtime/default",
            "apparmor_type": "RuntimeDefault",
            "apparmor_annotations": ["web=unconfined"],
            "selinux_type": "t",
            "selinux_user": "u",
            "selinux_role": "r",
            "windows_host_process": False,
            "cpu_request_cores": 0.5,
            "cpu_limit_cores": 2.0,
            "memory_request_bytes": 1073741824,
            "memory_limit_bytes": 1610612736,
            "node_selector": ["disk=ssd", "zone=z"],
            "tolerations": ["*=:*", "k=v:NoSchedule"],
            "topology_spread": ["zone"],
            "kept_apart": ['{"matchLabels":{"a":"1"}}', '{"matchLabels":{"b":"2"}}'],
            "kept_apart_in": [],
            "host_aliases": ["a.example", "b.example"],
            "image_pull_secrets": ["pull"],
            "last_applied": True,
        }
    ]


def test_what_a_pod_leaves_unset_is_null() -> None:
    evidence = evidence_of("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}")
    assert said(evidence, "pods") == [
        {
            "pod_uid": rows(evidence, "pods", "pod_uid")[0]["pod_uid"],
            "namespace": "default",
            "pod": "p",
            "origin": "object",
        }
    ]
    assert rows(evidence, "pods", "host_network", "automount_token", "run_as_user") == [
        {"host_network": None, "automount_token": None, "run_as_user": None}
    ]


def test_mirror_pods_and_older_names() -> None:
    evidence = evidence_of("""
apiVersion: v1
kind: Pod
metadata: {generateName: api-, annotations: {kubernetes.io/config.mirror: abc}}
spec: {serviceAccount: old}
status: {podIP: 10.0.0.9}
""")
    assert rows(evidence, "pods", "pod", "mirror", "service_account", "pod_ips") == [
        {"pod": "api-*", "mirror": True, "service_account": "old", "pod_ips": ["10.0.0.9"]}
    ]


TEMPLATE = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}"


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        ("apps/v1", "Deployment", f"spec: {{{TEMPLATE}}}"),
        ("extensions/v1beta1", "Deployment", f"spec: {{{TEMPLATE}}}"),
        ("apps/v1", "ReplicaSet", f"spec: {{{TEMPLATE}}}"),
        ("apps/v1", "StatefulSet", f"spec: {{{TEMPLATE}}}"),
        ("apps/v1", "DaemonSet", f"spec: {{{TEMPLATE}}}"),
        ("batch/v1", "Job", f"spec: {{{TEMPLATE}}}"),
        ("batch/v1beta1", "CronJob", f"spec: {{jobTemplate: {{spec: {{{TEMPLATE}}}}}}}"),
        ("v1", "ReplicationController", f"spec: {{{TEMPLATE}}}"),
        ("apps.openshift.io/v1", "DeploymentConfig", f"spec: {{{TEMPLATE}}}"),
        ("v1", "PodTemplate", TEMPLATE),
        ("argoproj.io/v1alpha1", "Rollout", f"spec: {{{TEMPLATE}}}"),
    ],
)
def test_templates_are_the_pods_they_would_make(api: str, kind: str, spec: str) -> None:
    if api.startswith("extensions"):
        api = "apps/v1"  # files name today's group; see the tests of sources
    evidence = evidence_of(f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n{spec}\n")
    assert rows(evidence, "pods", "namespace", "pod", "origin", "kind", "labels") == [
        {
            "namespace": "default",
            "pod": "x",
            "origin": "template",
            "kind": kind,
            "labels": ["app=a"],
        }
    ]
    assert rows(evidence, "containers", "pod", "container", "image") == [
        {"pod": "x", "container": "c", "image": "i"}
    ]


@pytest.mark.parametrize("owner", ["Deployment", "CronJob", "Rollout", ""])
def test_a_template_whose_owner_is_absent_stands_for_itself(owner: str) -> None:
    owners = f"[{{kind: {owner}, name: o, uid: u, controller: true}}]" if owner else "[]"
    evidence = evidence_of(
        "apiVersion: apps/v1\nkind: ReplicaSet\n"
        f"metadata: {{name: x, ownerReferences: {owners}}}\nspec: {{{TEMPLATE}}}"
    )
    assert len(rows(evidence, "pods")) == 1
    assert len(rows(evidence, "containers")) == 1
    assert len(rows(evidence, "workloads")) == 1


@pytest.mark.parametrize(
    ("group", "owner", "made"),
    [
        ("apps/v1", "Deployment", "apps/v1, kind: ReplicaSet"),
        ("apps.openshift.io/v1", "DeploymentConfig", "v1, kind: ReplicationController"),
    ],
)
def test_a_template_stands_once(group: str, owner: str, made: str) -> None:
    evidence = evidence_of(
        f"{{apiVersion: {group}, kind: {owner}, metadata: {{name: o}}, spec: {{{TEMPLATE}}}}}\n---\n"
        f"{{apiVersion: {made}, metadata: {{name: x, ownerReferences: "
        f"[{{kind: {owner}, name: o, uid: u, controller: true}}]}}, spec: {{{TEMPLATE}}}}}"
    )
    assert rows(evidence, "pods", "pod") == [{"pod": "o"}]
    assert len(rows(evidence, "workloads")) == 2


def test_a_controller_without_template_has_no_pod() -> None:
    evidence = evidence_of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {}}")
    assert rows(evidence, "pods") == []
    assert rows(evidence, "workloads", "name", "has_template") == [
        {"name": "x", "has_template": False}
    ]


def test_volumes() -> None:
    evidence = evidence_of("""
apiVersion: v1
kind: Pod
metadata: {name: p, uid: u}
spec:
  volumes:
    - {name: a, hostPath: {path: /var/run/docker.sock, type: Socket}}
    - {name: b, hostPath: {path: /, type: ""}}
    - {name: c, emptyDir: {medium: Memory, sizeLimit: 64Mi}}
    - {name: d, emptyDir: {}}
    - {name: e}
    - {name: f, secret: {secretName: s}}
    - {name: g, configMap: {name: m}}
    - {name: h, persistentVolumeClaim: {claimName: pvc}}
    - {name: i, csi: {driver: secrets-store.csi.k8s.io}}
    - {name: j, image: {reference: "r:1"}}
    - {name: k, nfs: {server: s, path: /x}}
    - {name: l, scaleIO: {}}
    - {name: m, projected: {}}
""")
    columns = ("volume", "source", "reference", "path", "path_type", "medium", "size_limit_bytes")
    assert [tuple(row.values()) for row in rows(evidence, "volumes", *columns)] == [
        ("a", "hostPath", None, "/var/run/docker.sock", "Socket", None, None),
        ("b", "hostPath", None, "/", None, None, None),
        ("c", "emptyDir", None, None, None, "Memory", 67108864),
        ("d", "emptyDir", None, None, None, None, None),
        ("e", "emptyDir", None, None, None, None, None),
        ("f", "secret", "s", None, None, None, None),
        ("g", "configMap", "m", None, None, None, None),
        ("h", "persistentVolumeClaim", "pvc", None, None, None, None),
        ("i", "csi", "secrets-store.csi.k8s.io", None, None, None, None),
        ("j", "image", "r:1", None, None, None, None),
        ("k", "nfs", None, None, None, None, None),
        ("l", "scaleIO", None, None, None, None, None),
        ("m", "projected", None, None, None, None, None),
    ]


def test_projected_sources() -> None:
    evidence = evidence_of("""
apiVersion: v1
kind: Pod
metadata: {name: p, uid: u}
spec:
  volumes:
    - name: all
      projected:
        sources:
          - serviceAccountToken: {audience: vault, expirationSeconds: 600, path: t}
          - serviceAccountToken: {path: t}
          - secret: {name: s}
          - configMap: {name: m}
          - downwardAPI: {}
          - clusterTrustBundle: {}
          - {}
""")
    columns = ("position", "source", "reference", "audience", "expiration_seconds")
    assert [tuple(row.values()) for row in rows(evidence, "projections", *columns)] == [
        (0, "serviceAccountToken", None, "vault", 600),
        (1, "serviceAccountToken", None, None, None),
        (2, "secret", "s", None, None),
        (3, "configMap", "m", None, None),
        (4, "downwardAPI", None, None, None),
        (5, "clusterTrustBundle", None, None, None),
        (6, "none", None, None, None),
    ]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("{hostNetwork: 'true'}", "Expected `bool | null`, got `str` - at `$.spec.hostNetwork`"),
        (
            "{securityContext: {runAsUser: 99999999999999999999}}",
            "Expected `int` <= 9223372036854775807 - at `$.spec.securityContext.runAsUser`",
        ),
        (
            "{containers: {name: c}}",
            "Expected `array | null`, got `object` - at `$.spec.containers`",
        ),
    ],
)
def test_a_malformed_pod_is_one_gap_that_says_where(spec: str, says: str) -> None:
    good = "{apiVersion: v1, kind: Pod, metadata: {name: good}, spec: {}}"
    bad = f"{{apiVersion: v1, kind: Pod, metadata: {{name: bad, namespace: n}}, spec: {spec}}}"
    evidence = evidence_of(f"{bad}\n---\n{good}")
    assert broken(evidence) == [("Pod n/bad", says)]
    assert [row["pod"] for row in rows(evidence, "pods")] == ["good"]


def test_a_time_without_zone_is_refused_not_guessed() -> None:
    evidence = evidence_of(
        '{apiVersion: v1, kind: Pod, metadata: {name: p, creationTimestamp: "2026-01-01T00:00:00"}}'
    )
    expected = "Expected `datetime` with a timezone component - at `$.metadata.creationTimestamp`"
    assert broken(evidence) == [("Pod p", expected)]


def test_huge_quantities_are_capped_and_nonsense_is_null() -> None:
    evidence = evidence_of("""
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  resources:
    limits: {memory: 99999999E, cpu: lots}
    requests: {memory: inf, cpu: 1e-1}
""")
    columns = ("memory_limit_bytes", "cpu_limit_cores", "memory_request_bytes", "cpu_request_cores")
    assert [tuple(r.values()) for r in rows(evidence, "pods", *columns)] == [
        (9223372036854775807, None, None, 0.1)
    ]


def test_metadata_of_null_is_read() -> None:
    evidence = evidence_of("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  template:
    metadata:
    spec: {containers: [{name: c}]}
status:
""")
    assert broken(evidence) == []
    assert rows(evidence, "containers", "pod", "container") == [{"pod": "d", "container": "c"}]
