"""Service meshes: who is in one, what clients must prove, and encryption between nodes."""

from __future__ import annotations

from typing import Any

import pytest

from kaudit.evidence.bundle import Evidence
from tests.memory_source import evidence_of, rows

PROXY = "{name: istio-proxy, image: docker.io/istio/proxyv2}"


def space(name: str, labels: str = "{}", annotations: str = "{}") -> str:
    meta = f"{{name: {name}, labels: {labels}, annotations: {annotations}}}"
    return f"{{apiVersion: v1, kind: Namespace, metadata: {meta}}}\n---\n"


def template(name: str, labels: str = "", annotations: str = "{}", more: str = "") -> str:
    meta = f"{{labels: {{app: {name}{labels}}}, annotations: {annotations}}}"
    spec = (
        f"{{containers: [{{name: c, image: i, ports: [{{containerPort: 80, name: http}}]}}{more}]}}"
    )
    return (
        f"{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: shop}}, "
        f"spec: {{template: {{metadata: {meta}, spec: {spec}}}}}}}\n---\n"
    )


def peers(name: str, mode: str, namespace: str = "shop", selector: str = "", more: str = "") -> str:
    chosen = f"selector: {{matchLabels: {selector}}}, " if selector else ""
    made = f", creationTimestamp: {more[1:]}" if more.startswith("@") else ""
    ports = "" if made else more
    return (
        f"{{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {{name: {name}, "
        f"namespace: {namespace}{made}}}, spec: {{{chosen}mtls: {{mode: {mode}}}{ports}}}}}\n---\n"
    )


def said(text: str | Evidence, name: str = "web") -> dict[str, Any]:
    evidence = evidence_of(text) if isinstance(text, str) else text
    (found,) = [r for r in rows(evidence, "mesh_workloads") if r["owner_name"] == name]
    return found


IN = space("shop", "{istio-injection: enabled}")


@pytest.mark.parametrize(
    ("namespace", "labels", "annotations", "more", "state"),
    [
        ("{istio-injection: enabled}", "", "{}", "", "sidecar"),
        ("{istio-injection: enabled}", ', sidecar.istio.io/inject: "false"', "{}", "", "outside"),
        ("{istio-injection: enabled}", "", '{sidecar.istio.io/inject: "false"}', "", "outside"),
        ("{istio-injection: disabled}", ', sidecar.istio.io/inject: "true"', "{}", "", "outside"),
        ("{istio.io/rev: canary}", "", "{}", "", "sidecar"),
        ("{istio-injection: disabled, istio.io/rev: canary}", "", "{}", "", "outside"),
        ("{}", ', sidecar.istio.io/inject: "true"', "{}", "", "sidecar"),
        ("{}", "", "{}", f", {PROXY}", "sidecar"),
        ("{istio.io/dataplane-mode: ambient}", "", "{}", "", "ambient"),
        (
            "{istio.io/dataplane-mode: ambient}",
            ", istio.io/dataplane-mode: none",
            "{}",
            "",
            "outside",
        ),
        ("{}", "", "{linkerd.io/inject: enabled}", "", "sidecar"),
        ("{}", "", "{}", "", "outside"),
    ],
)
def test_who_is_in_a_mesh(
    namespace: str, labels: str, annotations: str, more: str, state: str
) -> None:
    text = space("shop", namespace) + template("web", labels, annotations, more)
    found = said(text + peers("p", "STRICT", "elsewhere"))
    assert (found["membership"], found["judged"]) == (state, True)
    assert found["in_mesh"] is (state != "outside")


def test_a_namespace_that_was_not_seen_leaves_it_open() -> None:
    found = said(template("web") + peers("p", "STRICT"))
    assert (found["membership"], found["strict"], found["authorized"]) == ("unknown", None, None)


def test_an_annotation_of_the_namespace_is_for_all_that_say_nothing() -> None:
    text = space("shop", "{}", "{linkerd.io/inject: enabled}")
    assert said(text + template("web"))["mesh"] == "Linkerd"
    assert said(text + template("web", "", "{linkerd.io/inject: disabled}"))["mesh"] == ""


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("spec: {containers: [{name: c, image: i}]}", "sidecar"),
        ("spec: {containers: [{name: c, image: i}]}, status: {phase: Running}", "outside"),
        (
            f"spec: {{containers: [{{name: c, image: i}}, {PROXY}]}}, status: {{phase: Running}}",
            "sidecar",
        ),
    ],
)
def test_what_runs_has_a_proxy_or_has_none(body: str, state: str) -> None:
    found = said(
        IN + f"{{apiVersion: v1, kind: Pod, metadata: {{name: web, namespace: shop}}, {body}}}"
    )
    assert found["membership"] == state


def test_without_a_mesh_nothing_is_judged() -> None:
    evidence = evidence_of(space("shop") + template("web"))
    assert said(evidence)["judged"] is False


def test_parts_of_kubernetes_and_of_the_mesh_are_not_meant() -> None:
    pilot = "{name: discovery, image: docker.io/istio/pilot:1.28.0}"
    control = template("istiod", more=f", {pilot}").replace("namespace: shop", "namespace: mesh")
    text = IN + control + template("web").replace("shop", "kube-system").replace("web", "dns")
    host = template("host").replace("containers", "hostNetwork: true, containers")
    evidence = evidence_of(text + host + template("web"))
    judged = {r["owner_name"]: r["judged"] for r in rows(evidence, "mesh_workloads")}
    assert judged == {"istiod": False, "dns": False, "host": False, "web": True}


@pytest.mark.parametrize(
    ("policies", "mode", "strict"),
    [
        ("", "PERMISSIVE", False),
        (peers("m", "STRICT", "istio-system"), "STRICT", True),
        (peers("m", "STRICT", "istio-system") + peers("n", "PERMISSIVE"), "PERMISSIVE", False),
        (peers("m", "STRICT", "istio-system") + peers("n", "UNSET"), "STRICT", True),
        (peers("n", "PERMISSIVE") + peers("w", "STRICT", selector="{app: web}"), "STRICT", True),
        (peers("n", "STRICT") + peers("w", "DISABLE", selector="{app: web}"), "DISABLE", False),
        (peers("n", "STRICT") + peers("w", "DISABLE", selector="{app: db}"), "STRICT", True),
        (peers("m", "STRICT", "istio-system", "{app: web}"), "PERMISSIVE", False),
        (peers("o", "STRICT", "other"), "PERMISSIVE", False),
        (peers("a", "STRICT") + peers("b", "PERMISSIVE"), "", None),
        (
            peers("a", "PERMISSIVE", more='@"2026-02-01T00:00:00Z"')
            + peers("b", "STRICT", more='@"2026-01-01T00:00:00Z"'),
            "STRICT",
            True,
        ),
    ],
)
def test_the_nearest_policy_counts(policies: str, mode: str, strict: bool | None) -> None:
    found = said(IN + policies + template("web"))
    assert (found["mode"], found["strict"]) == (mode, strict)


def test_the_root_namespace_is_where_the_control_plane_is() -> None:
    pilot = "{name: discovery, image: gcr.io/istio-release/pilot}"
    control = template("istiod", more=f", {pilot}").replace("namespace: shop", "namespace: mesh")
    found = said(IN + control + peers("m", "STRICT", "mesh") + template("web"))
    assert found["strict"] is True


@pytest.mark.parametrize(
    ("more", "annotations", "weak", "strict"),
    [
        (", portLevelMtls: {80: {mode: PERMISSIVE}}", "{}", ["80=PERMISSIVE"], False),
        (", portLevelMtls: {80: {mode: UNSET}}", "{}", [], True),
        (", portLevelMtls: {80: {mode: STRICT}}", "{}", [], True),
        (", portLevelMtls: {80: null}", "{}", [], True),
        (
            "",
            '{traffic.sidecar.istio.io/excludeInboundPorts: "90, 91"}',
            ["90=past the proxy", "91=past the proxy"],
            False,
        ),
        ("", '{traffic.sidecar.istio.io/includeInboundPorts: "80"}', ["*=past the proxy"], False),
        ("", '{traffic.sidecar.istio.io/includeInboundPorts: "*"}', [], True),
        ("", '{traffic.sidecar.istio.io/excludeOutboundPorts: "80"}', [], True),
    ],
)
def test_ports_may_ask_for_less(more: str, annotations: str, weak: list[str], strict: bool) -> None:
    policy = peers("w", "STRICT", selector="{app: web}", more=more)
    found = said(IN + policy + template("web", annotations=annotations))
    assert (found["weak_ports"], found["strict"]) == (weak, strict)


def test_a_mode_that_ambient_does_not_know_is_left_out() -> None:
    text = space("shop", "{istio.io/dataplane-mode: ambient}") + template("web")
    strict = peers("m", "STRICT", "istio-system")
    assert said(text + strict + peers("n", "DISABLE"))["strict"] is True
    assert said(text + strict + peers("n", "PERMISSIVE"))["strict"] is False


def authorization(spec: str, namespace: str = "shop") -> str:
    meta = f"{{name: a, namespace: {namespace}}}"
    return (
        "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, "
        f"metadata: {meta}, spec: {spec}}}\n---\n"
    )


@pytest.mark.parametrize(
    ("policies", "authorized"),
    [
        ("", False),
        (authorization("{}"), True),
        (authorization("{}", "istio-system"), True),
        (authorization("{}", "other"), False),
        (authorization("{rules: [{}]}"), False),
        (authorization("{rules: [null]}"), False),
        (authorization("{rules: [{to: [{operation: {ports: ['80']}}]}]}"), True),
        (authorization("{action: DENY, rules: [{}]}"), False),
        (authorization("{action: AUDIT}"), False),
        (authorization("{action: CUSTOM, provider: {name: x}, rules: [{}]}"), True),
        (authorization("{selector: {matchLabels: {app: db}}}"), False),
        (authorization("{targetRefs: [{kind: Service, name: web}], rules: [{from: [{}]}]}"), None),
    ],
)
def test_a_policy_that_allows_turns_others_away(policies: str, authorized: bool | None) -> None:
    assert said(IN + policies + template("web"))["authorized"] is authorized


LINKED = space("shop", "{}", "{linkerd.io/inject: enabled}")
DEFAULT = "config.linkerd.io/default-inbound-policy"


def linkerd(kind: str, spec: str, version: str = "v1alpha1") -> str:
    meta = "{name: s, namespace: shop}"
    api = f"policy.linkerd.io/{version}"
    return f"{{apiVersion: {api}, kind: {kind}, metadata: {meta}, spec: {spec}}}\n---\n"


SERVER = linkerd("Server", "{podSelector: {matchLabels: {app: web}}, port: http}", "v1beta3")
TARGET = "targetRef: {group: policy.linkerd.io, kind: Server, name: s}"


@pytest.mark.parametrize(
    ("policies", "default", "strict", "authorized"),
    [
        ("", "", None, None),
        ("", "all-unauthenticated", False, False),
        ("", "audit", False, False),
        ("", "cluster-authenticated", True, False),
        ("", "deny", True, True),
        (SERVER, "all-unauthenticated", True, True),
        (SERVER.replace("port: http", "port: 80"), "", True, True),
        (SERVER.replace("port: http", "port: 81"), "", None, None),
        (SERVER.replace("app: web", "app: db"), "deny", True, True),
        (
            SERVER.replace("port: http", "port: 80, accessPolicy: all-unauthenticated"),
            "",
            False,
            False,
        ),
        (
            SERVER.replace("port: http", "port: 80, accessPolicy: all-authenticated"),
            "",
            True,
            False,
        ),
        (SERVER + linkerd("AuthorizationPolicy", f"{{{TARGET}}}"), "", False, True),
        (
            SERVER
            + linkerd(
                "AuthorizationPolicy",
                f"{{{TARGET}, requiredAuthenticationRefs: [{{kind: MeshTLSAuthentication, name: m}}]}}",
            ),
            "",
            True,
            True,
        ),
        (
            SERVER
            + linkerd(
                "AuthorizationPolicy",
                f"{{{TARGET}, requiredAuthenticationRefs: [{{kind: NetworkAuthentication, name: n}}]}}",
            ),
            "",
            False,
            True,
        ),
        (
            SERVER + linkerd("AuthorizationPolicy", "{targetRef: {kind: HTTPRoute, name: r}}"),
            "",
            None,
            True,
        ),
        (
            SERVER + linkerd("AuthorizationPolicy", "{targetRef: {kind: Server, name: other}}"),
            "",
            True,
            True,
        ),
        (
            SERVER
            + linkerd(
                "ServerAuthorization", "{server: {name: s}, client: {unauthenticated: true}}"
            ),
            "",
            False,
            True,
        ),
        (
            SERVER
            + linkerd(
                "ServerAuthorization",
                "{server: {selector: {matchLabels: {x: y}}}, client: {unauthenticated: true}}",
            ),
            "",
            None,
            True,
        ),
        (
            SERVER
            + linkerd(
                "ServerAuthorization",
                "{server: {name: s}, client: {meshTLS: {serviceAccounts: [{name: x}]}}}",
            ),
            "",
            True,
            True,
        ),
    ],
)
def test_servers_and_the_default_of_linkerd(
    policies: str, default: str, strict: bool | None, authorized: bool | None
) -> None:
    notes = f"{{{DEFAULT}: {default}}}" if default else "{}"
    found = said(LINKED + policies + template("web", annotations=notes))
    assert (found["strict"], found["authorized"]) == (strict, authorized)


def test_the_default_of_the_pod_beats_that_of_its_namespace_and_ports_may_be_skipped() -> None:
    text = space("shop", "{}", f"{{linkerd.io/inject: enabled, {DEFAULT}: deny}}")
    assert said(text + template("web"))["mode"] == "deny"
    own = template("web", annotations=f"{{{DEFAULT}: all-unauthenticated}}")
    assert said(text + own)["strict"] is False
    skips = template("web", annotations='{config.linkerd.io/skip-inbound-ports: "5432"}')
    assert said(text + skips)["weak_ports"] == ["5432=past the proxy"]
    assert said(text + skips)["strict"] is False


def agent(image: str) -> str:
    return (
        "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: kube-system}, "
        f"spec: {{template: {{spec: {{containers: [{{name: c, image: '{image}'}}]}}}}}}}}\n---\n"
    )


def node(name: str, key: int = 0, annotations: str = "{}") -> str:
    meta = f"{{name: {name}, annotations: {annotations}}}"
    spec = f"{{encryption: {{key: {key}}}}}"
    return f"{{apiVersion: cilium.io/v2, kind: CiliumNode, metadata: {meta}, spec: {spec}}}\n---\n"


def felix(name: str, spec: str, api: str = "crd.projectcalico.org/v1") -> str:
    meta = f"{{name: {name}}}"
    return f"{{apiVersion: {api}, kind: FelixConfiguration, metadata: {meta}, spec: {spec}}}\n---\n"


CILIUM, CALICO = agent("quay.io/cilium/cilium:v1.18"), agent("docker.io/calico/node:v3.30")
WIREGUARD = "{network.cilium.io/wg-pub-key: k}"
ON, OFF = "{wireguardEnabled: true}", "{wireguardEnabled: false}"


@pytest.mark.parametrize(
    ("text", "encrypted", "by", "without"),
    [
        (CILIUM, "unknown", [], []),
        (CILIUM + node("a", 3) + node("b", 0, WIREGUARD), "yes", ["IPsec", "WireGuard"], []),
        (CILIUM + node("a", 3) + node("b"), "no", ["IPsec"], ["CiliumNode/b"]),
        (CALICO + node("a", 3), "unknown", [], []),
        (CALICO + felix("default", "{}"), "no", [], ["FelixConfiguration/default"]),
        (CALICO + felix("default", ON), "yes", ["WireGuard"], []),
        (CALICO + felix("default", "{wireguardEnabledV6: true}"), "yes", ["WireGuard"], []),
        (CALICO + felix("default", ON) + felix("node.a", "{}"), "yes", ["WireGuard"], []),
        (
            CALICO + felix("default", ON) + felix("node.a", OFF),
            "no",
            ["WireGuard"],
            ["FelixConfiguration/node.a"],
        ),
        (CALICO + felix("default", ON, "projectcalico.org/v3"), "yes", ["WireGuard"], []),
        (agent("docker.io/flannel/flannel") + felix("default", ON), "unknown", [], []),
    ],
)
def test_what_plugins_say_of_encryption(
    text: str, encrypted: str, by: list[str], without: list[str]
) -> None:
    (found,) = rows(evidence_of(text), "network_encryption")
    assert (found["encrypted"], found["by"], found["without"]) == (encrypted, by, without)
    assert found["meshless"] is True
