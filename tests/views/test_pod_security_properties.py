"""What holds for every pod that the Pod Security Standards judge."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.views.pods import LISTS, SAFE, SAFE_POD, Spec, broken, judge

#: Minor versions at which any rule changes.
CHANGES = {8, 19, 22, 23, 25, 27, 29, 31, 32, 34, 35, 37}
NEWEST = 37
LEVELS = ("baseline", "restricted")

usual = settings(max_examples=60)
quickly = settings(max_examples=25)

minors = st.integers(0, NEWEST)
maybe = st.sampled_from([None, True, False])
profiles = st.sampled_from([None, "RuntimeDefault", "Localhost", "Unconfined", "odd"])
selinux = st.sampled_from([None, "", "container_t", "container_engine_t", "spc_t"])
names = st.sampled_from(["ALL", "NET_BIND_SERVICE", "CHOWN", "NET_RAW", "SYS_ADMIN", "chown"])
notes = st.sampled_from(["runtime/default", "localhost/p", "unconfined", ""])


def without_none(spec: Spec) -> Spec:
    return {key: value for key, value in spec.items() if value is not None}


def typed(value: str | None) -> Spec | None:
    return None if value is None else {"type": value}


def shared_fields() -> dict[str, st.SearchStrategy[Any]]:
    return {
        "runAsNonRoot": maybe,
        "runAsUser": st.sampled_from([None, 0, 1]),
        "seccompProfile": profiles.map(typed),
        "appArmorProfile": profiles.map(typed),
        "seLinuxOptions": selinux.map(typed),
        "windowsOptions": maybe.map(lambda v: None if v is None else {"hostProcess": v}),
    }


contexts = st.one_of(
    st.just(SAFE | SAFE_POD),
    st.fixed_dictionaries(
        {
            **shared_fields(),
            "privileged": maybe,
            "allowPrivilegeEscalation": maybe,
            "procMount": st.sampled_from([None, "Default", "Unmasked"]),
            "capabilities": st.fixed_dictionaries(
                {"add": st.lists(names, max_size=2), "drop": st.lists(names, max_size=2)}
            ),
        }
    ).map(without_none),
)
containers = st.fixed_dictionaries(
    {"securityContext": contexts},
    optional={
        "ports": st.lists(
            st.fixed_dictionaries({"containerPort": st.just(1), "hostPort": st.integers(0, 1)}),
            max_size=2,
        ),
        "livenessProbe": st.sampled_from(["", "127.0.0.1"]).map(
            lambda host: {"httpGet": {"port": 1, "host": host}}
        ),
    },
)
volumes = st.sampled_from(["emptyDir", "secret", "hostPath", "nfs", "image"])
sysctls = st.sampled_from(["kernel.shm_rmid_forced", "net.ipv4.tcp_rmem", "kernel.msgmax"])


@st.composite
def pods(draw: st.DrawFn) -> Spec:
    """Pod with containers of all types, each with a name of its own."""
    spec: Spec = without_none(
        {
            "hostNetwork": draw(maybe),
            "hostUsers": draw(maybe),
            "os": draw(st.sampled_from([None, {"name": "linux"}, {"name": "windows"}])),
            "securityContext": without_none(
                draw(st.fixed_dictionaries(shared_fields()))
                | {"sysctls": [{"name": n, "value": "1"} for n in draw(st.sets(sysctls))]}
            ),
            "volumes": [
                {"name": f"v{n}", source: {}}
                for n, source in enumerate(draw(st.lists(volumes, max_size=2)))
            ],
        }
    )
    if draw(st.booleans()):
        spec["securityContext"] = SAFE_POD
    for n, (kind, found) in enumerate(
        draw(
            st.lists(st.tuples(st.sampled_from(sorted(LISTS)), containers), min_size=1, max_size=4)
        )
    ):
        more = {"name": f"c{n}", "image": "i"}
        if kind == "sidecar":
            more["restartPolicy"] = "Always"
        spec.setdefault(LISTS[kind], []).append(found | more)
    annotations = {
        key: draw(notes)
        for key in (
            "seccomp.security.alpha.kubernetes.io/pod",
            "container.seccomp.security.alpha.kubernetes.io/c0",
            "container.apparmor.security.beta.kubernetes.io/c1",
        )
        if draw(st.booleans())
    }
    return {"metadata": {"annotations": annotations}, "spec": spec}


several = st.lists(pods(), min_size=1, max_size=6)


def moved(pod: Spec, kind: str) -> Spec:
    """Pod whose containers are all of one type."""
    found = [
        {k: v for k, v in container.items() if k != "restartPolicy"}
        | ({"restartPolicy": "Always"} if kind == "sidecar" else {})
        for name in dict.fromkeys(LISTS.values())
        for container in pod["spec"].get(name, ())
    ]
    rest = {k: v for k, v in pod["spec"].items() if k not in LISTS.values()}
    return pod | {"spec": rest | {LISTS[kind]: found}}


@usual
@given(several, minors)
def test_what_restricted_allows_baseline_allows(found: list[Spec], minor: int) -> None:
    # Windows pods are exempt from restricted checks that stand for baseline ones, upstream too.
    found = [pod for pod in found if pod["spec"].get("os") != {"name": "windows"}]
    judged = judge(found)
    for lax, strict in zip(
        broken(judged, "baseline", minor), broken(judged, "restricted", minor), strict=True
    ):
        assert strict or not lax


@usual
@given(several, minors)
def test_no_check_of_the_baseline_is_lost(found: list[Spec], minor: int) -> None:
    stand_in = {"hostPathVolumes": "restrictedVolumes"}
    if minor >= 19:
        stand_in["seccompProfile_baseline"] = "seccompProfile_restricted"
    if minor >= 22:
        stand_in["capabilities_baseline"] = "capabilities_restricted"
    if minor >= 35:
        stand_in["procMount"] = "procMount_restricted"
    judged = judge(found)
    for pod, lax, strict in zip(
        found, broken(judged, "baseline", minor), broken(judged, "restricted", minor), strict=True
    ):
        assert strict.isdisjoint(stand_in)
        windows = pod["spec"].get("os") == {"name": "windows"} and minor >= 25
        exempt = {"seccompProfile_baseline", "capabilities_baseline"} if windows else set()
        assert {stand_in.get(check, check) for check in lax - exempt} <= strict


@usual
@given(pods(), minors, st.sampled_from(LEVELS), st.randoms())
def test_order_does_not_matter(pod: Spec, minor: int, level: str, random: Any) -> None:
    spec = {
        key: random.sample(value, len(value)) if isinstance(value, list) else value
        for key, value in pod["spec"].items()
    }
    one, other = broken(judge([pod, pod | {"spec": spec}]), level, minor)
    assert one == other


@usual
@given(pods(), minors, st.sampled_from(LEVELS))
def test_types_of_containers_are_judged_alike(pod: Spec, minor: int, level: str) -> None:
    as_it_is, *as_others = broken(judge([pod, *(moved(pod, kind) for kind in LISTS)]), level, minor)
    assert as_others == [as_it_is] * len(LISTS)


@usual
@given(several, minors, st.sampled_from(LEVELS))
def test_pods_do_not_matter_to_each_other(found: list[Spec], minor: int, level: str) -> None:
    together = broken(judge(found), level, minor)
    assert together == [broken(judge([pod]), level, minor)[0] for pod in found]


@usual
@given(pods(), minors, st.sampled_from(LEVELS), st.sampled_from(sorted(LISTS)))
def test_a_safe_container_more_changes_nothing(
    pod: Spec, minor: int, level: str, kind: str
) -> None:
    safe = {"name": "safe", "image": "i", "securityContext": SAFE | SAFE_POD}
    if kind == "sidecar":
        safe["restartPolicy"] = "Always"
    spec = pod["spec"] | {LISTS[kind]: [*pod["spec"].get(LISTS[kind], ()), safe]}
    one, other = broken(judge([pod, pod | {"spec": spec}]), level, minor)
    assert one == other


@quickly
@given(several, st.sampled_from(LEVELS))
def test_verdicts_change_at_known_versions_only(found: list[Spec], level: str) -> None:
    judged = judge(found)
    before = broken(judged, level, 0)
    for minor in range(1, NEWEST + 3):
        now = broken(judged, level, minor)
        assert now == before or minor in CHANGES
        before = now


@usual
@given(several, minors)
def test_a_fault_of_a_part_is_a_fault_of_its_pod(found: list[Spec], minor: int) -> None:
    judged = judge(found)
    for level in LEVELS:
        for fault in judged.faults(level, minor):
            for bad, owner in (
                (fault.containers, judged.pod_of_container),
                (fault.volumes, judged.pod_of_volume),
                (fault.probes, judged.pod_of_probe),
            ):
                if bad is not None:
                    assert fault.pods[owner[bad]].all()
