"""Storage, extensions of the API, classes and certificates of the demo."""

from __future__ import annotations

from collections.abc import Iterator

from kaudit.demo.objects import MESHED, Json, thing


def platform() -> Iterator[Json]:
    """Yield what a cluster is extended with."""
    yield from _storage()
    yield from _extensions()
    yield from _classes()
    yield from _certificates()
    yield from _routes()


def _storage() -> Iterator[Json]:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    for name, encrypted, note in (("fast", "true", default), ("bulk", "false", {})):
        body = {
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"type": "gp3", "encrypted": encrypted},
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
        yield thing("storage.k8s.io/v1", "StorageClass", name, annotations=note, body=body)
    for number in range(3):
        yield from _volume(f"data-postgres-{number}", "data", "fast", {"csi": _disk(number)})
    # Made by hand on one node, and still there after its claim.
    erp = {"hostPath": {"path": "/srv/erp", "type": ""}}
    yield from _volume("erp-archive", "legacy", "", erp, retained=True)


def _disk(number: int) -> Json:
    return {"driver": "ebs.csi.aws.com", "volumeHandle": f"vol-0a1b2c3d4e5f6071{number}"}


def _volume(
    claim: str, namespace: str, storage_class: str, source: Json, *, retained: bool = False
) -> Iterator[Json]:
    size, modes = {"storage": "50Gi"}, ["ReadWriteOnce"]
    name = f"pv-{claim}"
    spec = {
        "capacity": size,
        "accessModes": modes,
        "storageClassName": storage_class,
        "persistentVolumeReclaimPolicy": "Retain" if retained else "Delete",
        "claimRef": {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": claim},
        **source,
    }
    body = {"spec": spec, "status": {"phase": "Bound"}}
    yield thing("v1", "PersistentVolume", name, body=body)
    asked = {
        "accessModes": modes,
        "resources": {"requests": size},
        "storageClassName": storage_class,
        "volumeName": name,
    }
    body = {"spec": asked, "status": {"phase": "Bound", "capacity": size, "accessModes": modes}}
    yield thing("v1", "PersistentVolumeClaim", claim, namespace, body=body)


def _extensions() -> Iterator[Json]:
    for plural, kind, group, versions in (
        ("certificates", "Certificate", "cert-manager.io", ["v1"]),
        ("externalsecrets", "ExternalSecret", "external-secrets.io", ["v1", "v1beta1"]),
        ("clusterpolicies", "ClusterPolicy", "kyverno.io", ["v1"]),
    ):
        served = [{"name": v, "served": True, "storage": v == "v1"} for v in versions]
        spec = {
            "group": group,
            "names": {"kind": kind, "plural": plural},
            "scope": "Cluster" if kind == "ClusterPolicy" else "Namespaced",
            "versions": served,
            "conversion": {"strategy": "None"},
        }
        status = {"conditions": [{"type": "Established", "status": "True"}]}
        api = "apiextensions.k8s.io/v1"
        name = f"{plural}.{group}"
        body = {"spec": spec, "status": status}
        yield thing(api, "CustomResourceDefinition", name, body=body)
    for name, more in (
        ("v1.apps", {}),
        (
            "v1beta1.metrics.k8s.io",
            {
                "service": {"name": "metrics-server", "namespace": "kube-system", "port": 443},
                "insecureSkipTLSVerify": True,
            },
        ),
    ):
        version, _, group = name.partition(".")
        aggregated: Json = {"group": group, "version": version, "groupPriorityMinimum": 100, **more}
        status = {"conditions": [{"type": "Available", "status": "True"}]}
        body = {"spec": aggregated, "status": status}
        yield thing("apiregistration.k8s.io/v1", "APIService", name, body=body)


def _classes() -> Iterator[Json]:
    for name, value in (("system-node-critical", 2_000_001_000), ("shop", 100_000)):
        body: Json = {"value": value, "preemptionPolicy": "PreemptLowerPriority"}
        yield thing("scheduling.k8s.io/v1", "PriorityClass", name, body=body)
    yield thing("node.k8s.io/v1", "RuntimeClass", "gvisor", body={"handler": "runsc"})


def _certificates() -> Iterator[Json]:
    node = {
        "signerName": "kubernetes.io/kubelet-serving",
        "username": "system:node:node-a",
        "groups": ["system:nodes", "system:authenticated"],
        "usages": ["digital signature", "server auth"],
    }
    person = {
        "signerName": "kubernetes.io/kube-apiserver-client",
        "username": "anna@northwind.example",
        "groups": ["team-platform", "system:authenticated"],
        "usages": ["client auth"],
        "expirationSeconds": 31_536_000,
    }
    for name, spec in (("csr-node-a", node), ("anna", person)):
        condition = {"type": "Approved", "status": "True", "reason": "Approved"}
        body = {"spec": spec, "status": {"conditions": [condition]}}
        api = "certificates.k8s.io/v1"
        yield thing(api, "CertificateSigningRequest", name, body=body)


def _routes() -> Iterator[Json]:
    for service, namespace, address in (
        ("web", "storefront", "10.39.85.26"),
        ("partner", "tracking", "203.0.113.77"),
    ):
        known = service == "web"
        labels = {"kubernetes.io/service-name": service}
        if known:
            labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io"
        target = {"kind": "Pod", "name": "web-4sl7lw5vv-nfn2d", "namespace": namespace}
        endpoint: Json = {"addresses": [address], "conditions": {"ready": True}}
        body: Json = {
            "addressType": "IPv4",
            "endpoints": [endpoint | ({"targetRef": target} if known else {})],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }
        api, name = "discovery.k8s.io/v1", f"{service}-x7k2p"
        yield thing(api, "EndpointSlice", name, namespace, labels=labels, body=body)
    api, labels = "discovery.k8s.io/v1", {"kubernetes.io/service-name": "kubernetes"}
    body = {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.10"], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    }
    yield thing(api, "EndpointSlice", "kubernetes", "default", labels=labels, body=body)
    spec = {
        "from": [
            {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "tracking"}
        ],
        "to": [{"group": "", "kind": "Service"}],
    }
    api = "gateway.networking.k8s.io/v1beta1"
    yield thing(api, "ReferenceGrant", "from-tracking", "payments", body={"spec": spec})
    rule = {"fromEndpoints": [{"matchLabels": {"app": "prometheus"}}]}
    body = {"spec": {"endpointSelector": {}, "ingress": [rule]}}
    yield thing("cilium.io/v2", "CiliumNetworkPolicy", "scrapes-only", "monitoring", body=body)
    shape = {"topology": "Layer2", "layer2": {"role": "Secondary", "subnets": ["10.90.0.0/24"]}}
    yield thing("k8s.ovn.org/v1", "UserDefinedNetwork", "storage", "legacy", body={"spec": shape})
    yield from _attached()
    yield from _meshed()
    left = {"host": "erp.northwind.example", "to": {"kind": "Service", "name": "erp"}}
    yield thing("route.openshift.io/v1", "Route", "erp", "legacy", body={"spec": left})


def _attached() -> Iterator[Json]:
    """A machine on a network of its own, where databases are copied, and the policy of that."""
    networks = [{"name": "copies", "multus": {"networkName": "copies"}}]
    machine = {
        "template": {
            "metadata": {"labels": {"app": "erp-db"}},
            "spec": {"networks": [{"name": "default", "pod": {}}, *networks]},
        }
    }
    yield thing("kubevirt.io/v1", "VirtualMachine", "erp-db", "legacy", body={"spec": machine})
    spec = {"config": '{"cniVersion": "1.0.0", "name": "copies", "type": "macvlan"}'}
    api, kind = "k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition"
    yield thing(api, kind, "copies", "legacy", body={"spec": spec})
    peer = {"ipBlock": {"cidr": "10.91.0.0/24"}}
    body: Json = {
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [peer], "ports": [{"port": 5432}]}],
        }
    }
    found = thing(f"{api}beta1", "MultiNetworkPolicy", "copies", "legacy", body=body)
    found["metadata"]["annotations"] = {"k8s.v1.cni.cncf.io/policy-for": "copies"}
    yield found


def _meshed() -> Iterator[Json]:
    """One namespace in a mesh that demands mutual TLS, and says of two workloads who may call."""
    api = "security.istio.io/v1"
    strict = {"spec": {"mtls": {"mode": "STRICT"}}}
    yield thing(api, "PeerAuthentication", "default", MESHED, body=strict)
    for name, client in (("checkout", "ingress-nginx"), ("ledger", MESHED)):
        source = {"source": {"namespaces": [client]}}
        spec = {"selector": {"matchLabels": {"app": name}}, "rules": [{"from": [source]}]}
        yield thing(api, "AuthorizationPolicy", name, MESHED, body={"spec": spec})
    felix = {"spec": {"wireguardEnabled": True, "wireguardEnabledV6": False}}
    api = "crd.projectcalico.org/v1"
    yield thing(api, "FelixConfiguration", "default", body=felix)
