"""What a mesh asks, against a plain telling of its reference, on random policies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model.mesh import MeshPolicy, of_istio, of_linkerd
from kaudit.model.mesh_agents import agent_of
from kaudit.model.mesh_membership import Facts, Place, member, passed_by
from kaudit.model.meta import pairs_of

SPACES, ROOT = ("shop", "bank", "istio-system"), "istio-system"
WEB, DB = '{"matchLabels":{"app":"web"}}', '{"matchLabels":{"app":"db"}}'
MODES = (None, "STRICT", "PERMISSIVE", "DISABLE")


def policy(kind: str, namespace: str, number: int, **more: object) -> MeshPolicy:
    """A policy that is older the lower its number is."""
    made = datetime(2026, 1, 1, tzinfo=UTC).replace(day=number + 1)
    fields: dict[str, object] = {
        "mesh": "Istio",
        "kind": kind,
        "namespace": namespace,
        "name": f"p{number}",
        "selector": None,
        "mode": None,
        "port_modes": [],
        "action": None,
        "targets": [],
        "port": None,
        "access": None,
        "open": False,
        "created_at": made,
    }
    return MeshPolicy(**{**fields, **more})  # type: ignore[arg-type]


@st.composite
def peer_policies(draw: st.DrawFn) -> list[MeshPolicy]:
    return draw(
        st.permutations(
            [
                policy(
                    "PeerAuthentication",
                    draw(st.sampled_from(SPACES)),
                    number,
                    selector=draw(st.sampled_from((None, "{}", WEB, DB))),
                    mode=draw(st.sampled_from(MODES)),
                    port_modes=draw(st.sampled_from(([], ["80=DISABLE"], ["80=STRICT"]))),
                )
                for number in range(draw(st.integers(0, 6)))
            ]
        )
    )


@given(peer_policies(), st.sampled_from(SPACES), st.booleans())
def test_the_effective_mode(policies: list[MeshPolicy], namespace: str, ambient: bool) -> None:
    mode, weak = "PERMISSIVE", False
    for level in ("mesh", "namespace", "workload"):
        fitting = []
        for one in sorted(policies, key=lambda p: p.name):
            if ambient and one.mode == "DISABLE":
                continue
            narrow = one.selector in (WEB, DB)
            fits = {
                "mesh": one.namespace == ROOT and not narrow,
                "namespace": one.namespace == namespace != ROOT and not narrow,
                "workload": one.namespace == namespace != ROOT and one.selector == WEB,
            }
            if fits[level]:
                fitting.append(one)
        if fitting:
            mode = fitting[0].mode or mode
            weak = level == "workload" and fitting[0].port_modes == ["80=DISABLE"]
    found = of_istio(policies, namespace, ["app=web"], root=ROOT, ambient=ambient)
    assert (found.mode, found.strict) == (mode, mode == "STRICT" and not weak)
    assert bool(found.ports) == weak


@st.composite
def authorizations(draw: st.DrawFn) -> list[MeshPolicy]:
    return [
        policy(
            "AuthorizationPolicy",
            draw(st.sampled_from(SPACES)),
            number,
            selector=draw(st.sampled_from((None, WEB, DB))),
            action=draw(st.sampled_from(("ALLOW", "DENY", "CUSTOM", "AUDIT"))),
            open=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@given(authorizations())
def test_some_clients_only(policies: list[MeshPolicy]) -> None:
    meant = [
        p
        for p in policies
        if p.namespace in ("shop", ROOT) and p.selector != DB and p.action in ("ALLOW", "CUSTOM")
    ]
    found = of_istio(policies, "shop", ["app=web"], root=ROOT, ambient=False)
    assert found.authorized is (bool(meant) and not any(p.open for p in meant))


@given(
    st.lists(st.sampled_from(("80", "http", "443", "none")), max_size=2, unique=True),
    st.sampled_from((None, "deny", "all-authenticated", "all-unauthenticated")),
    st.sampled_from((None, "deny", "all-authenticated", "all-unauthenticated", "what")),
)
def test_ports_that_no_server_has_are_the_defaults(
    ports: list[str], access: str | None, default: str | None
) -> None:
    servers = [
        policy("Server", "shop", number, mesh="Linkerd", port=port, access=access)
        for number, port in enumerate(ports)
    ]
    own = {"80": "http", "443": "https"}
    found = of_linkerd(servers, "shop", ["app=web"], own, default)
    base = {"deny": True, "all-authenticated": True, "all-unauthenticated": False}.get(
        default or ""
    )
    verdicts = [
        (access != "all-unauthenticated") if {number, name} & set(ports) else base
        for number, name in own.items()
    ]
    expected = False if False in verdicts else None if None in verdicts else True
    assert found.strict is expected


texts = st.dictionaries(
    st.sampled_from(
        (
            "sidecar.istio.io/inject",
            "istio-injection",
            "istio.io/rev",
            "istio.io/dataplane-mode",
            "linkerd.io/inject",
        )
    ),
    st.sampled_from(("true", "false", "enabled", "disabled", "ambient", "none", "")),
)


@given(texts, texts, texts, texts, st.booleans())
def test_whatever_labels_say_a_pod_without_proxy_that_runs_is_outside(
    labels: dict[str, str], notes: dict[str, str], of: dict[str, str], on: dict[str, str], run: bool
) -> None:
    found = member(Facts(labels, notes, (), run), Place(of, on))
    assert bool(found.mesh) == (found.state in ("sidecar", "ambient"))
    assert not (run and found.mesh)
    assert member(Facts(labels, notes, ("linkerd-proxy",), run), Place(of, on)).mesh == "Linkerd"


@given(st.text(alphabet="0123, -*", max_size=20))
def test_any_list_of_ports_is_read(text: str) -> None:
    key = "traffic.sidecar.istio.io/excludeInboundPorts"
    assert all(passed_by(Facts({}, pairs_of([f"{key}={text}"]), (), True), "Istio"))


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("docker.io/istio/pilot:1.28.0", ("Istio", "control plane")),
        ("registry:5000/mirror/istio/ztunnel@sha256:" + "0" * 64, ("Istio", "node")),
        ("gcr.io/istio-release/install-cni", ("Istio", "node")),
        ("cr.l5d.io/linkerd/controller:edge", ("Linkerd", "control plane")),
        ("example.com/autopilot", None),
        ("example.com/games/pilot", None),
        ("example.com/linkerd-controller", None),
        ("", None),
    ],
)
def test_parts_are_known_by_their_images(image: str, found: tuple[str, str] | None) -> None:
    assert agent_of(image) == found
