"""Components of the control plane, by the command lines of the pods that run them.

kubeadm, kOps, RKE2 and their like run them as static pods, whose mirrors show the command
line. Managed clusters and k3s show none: nothing is said of those. Flags are read as pflag
and Go's flag package do: ``--name=value``, ``--name value``, ``-name``, underscores as
dashes, the last one wins. What a configuration file or the environment says is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, named, pairs, series, text_is
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER, CONTAINER_KEY, OWNED_CONTAINER, OfContainer

if TYPE_CHECKING:
    import pandas as pd


class ComponentRow(OfContainer, kw_only=True):
    component: Annotated[str, doc("program that it runs: kube-apiserver, etcd, …")]
    api_server: Annotated[bool, doc("runs kube-apiserver")]
    controller_manager: Annotated[bool, doc("runs kube-controller-manager")]
    scheduler: Annotated[bool, doc("runs kube-scheduler")]
    manager: Annotated[bool, doc("runs kube-controller-manager or kube-scheduler")]
    kubernetes: Annotated[bool, doc("runs any of the three")]
    etcd: Annotated[bool, doc("runs etcd")]
    told: Annotated[bool, doc("no configuration file or variable may say more than its flags")]
    anonymous_auth: Annotated[str | None, doc("--anonymous-auth as written")]
    authentication_config: Annotated[str | None, doc("--authentication-config as written")]
    token_auth_file: Annotated[str | None, doc("--token-auth-file as written")]
    basic_auth_file: Annotated[str | None, doc("--basic-auth-file as written")]
    client_ca_file: Annotated[str | None, doc("--client-ca-file as written")]
    insecure_port: Annotated[str | None, doc("--insecure-port as written")]
    insecure_bind_address: Annotated[str | None, doc("--insecure-bind-address as written")]
    secure_port: Annotated[str | None, doc("--secure-port as written")]
    authorization_mode: Annotated[str | None, doc("--authorization-mode as written")]
    authorization_config: Annotated[str | None, doc("--authorization-config as written")]
    enable_admission_plugins: Annotated[str | None, doc("--enable-admission-plugins as written")]
    disable_admission_plugins: Annotated[str | None, doc("--disable-admission-plugins as written")]
    request_timeout: Annotated[str | None, doc("--request-timeout as written")]
    kubelet_client_certificate: Annotated[
        str | None, doc("--kubelet-client-certificate as written")
    ]
    kubelet_client_key: Annotated[str | None, doc("--kubelet-client-key as written")]
    kubelet_certificate_authority: Annotated[
        str | None, doc("--kubelet-certificate-authority as written")
    ]
    tls_cert_file: Annotated[str | None, doc("--tls-cert-file as written")]
    tls_private_key_file: Annotated[str | None, doc("--tls-private-key-file as written")]
    tls_cipher_suites: Annotated[str | None, doc("--tls-cipher-suites as written")]
    tls_min_version: Annotated[str | None, doc("--tls-min-version as written")]
    encryption_provider_config: Annotated[
        str | None, doc("--encryption-provider-config as written")
    ]
    etcd_certfile: Annotated[str | None, doc("--etcd-certfile as written")]
    etcd_keyfile: Annotated[str | None, doc("--etcd-keyfile as written")]
    etcd_cafile: Annotated[str | None, doc("--etcd-cafile as written")]
    audit_log_path: Annotated[str | None, doc("--audit-log-path as written")]
    audit_webhook_config_file: Annotated[str | None, doc("--audit-webhook-config-file as written")]
    audit_policy_file: Annotated[str | None, doc("--audit-policy-file as written")]
    audit_log_maxage: Annotated[str | None, doc("--audit-log-maxage as written")]
    audit_log_maxbackup: Annotated[str | None, doc("--audit-log-maxbackup as written")]
    audit_log_maxsize: Annotated[str | None, doc("--audit-log-maxsize as written")]
    service_account_lookup: Annotated[str | None, doc("--service-account-lookup as written")]
    service_account_key_file: Annotated[str | None, doc("--service-account-key-file as written")]
    service_account_extend_token_expiration: Annotated[
        str | None, doc("--service-account-extend-token-expiration as written")
    ]
    profiling: Annotated[str | None, doc("--profiling as written")]
    bind_address: Annotated[str | None, doc("--bind-address as written")]
    use_service_account_credentials: Annotated[
        str | None, doc("--use-service-account-credentials as written")
    ]
    service_account_private_key_file: Annotated[
        str | None, doc("--service-account-private-key-file as written")
    ]
    root_ca_file: Annotated[str | None, doc("--root-ca-file as written")]
    feature_gates: Annotated[str | None, doc("--feature-gates as written")]
    terminated_pod_gc_threshold: Annotated[
        str | None, doc("--terminated-pod-gc-threshold as written")
    ]
    cert_file: Annotated[str | None, doc("--cert-file as written")]
    key_file: Annotated[str | None, doc("--key-file as written")]
    client_cert_auth: Annotated[str | None, doc("--client-cert-auth as written")]
    auto_tls: Annotated[str | None, doc("--auto-tls as written")]
    peer_cert_file: Annotated[str | None, doc("--peer-cert-file as written")]
    peer_key_file: Annotated[str | None, doc("--peer-key-file as written")]
    peer_client_cert_auth: Annotated[str | None, doc("--peer-client-cert-auth as written")]
    peer_auto_tls: Annotated[str | None, doc("--peer-auto-tls as written")]
    trusted_ca_file: Annotated[str | None, doc("--trusted-ca-file as written")]


COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")

CONTROL_PLANE = Table(
    "control_plane",
    ComponentRow,
    grain="one container that runs a component of the control plane",
    key=CONTAINER_KEY,
    resource=OWNED_CONTAINER,
    pods=True,
)

_COPIED = (*CONTAINER,)
_FLAGS = tuple(c.name for c in CONTROL_PLANE.columns if c.sentence.startswith("--"))
#: Programs that start another one, which they name in their arguments.
_STARTERS = ("sh", "bash", "dash", "ash", "tini", "dumb-init", "go-runner", "kube-log-runner")


@view(CONTROL_PLANE)
def control_plane(security_context: pd.DataFrame, env: pd.DataFrame) -> pd.DataFrame:
    """Find the containers that run a component, and read its command line."""
    import pyarrow as pa

    likely = security_context[_mentions(security_context)]
    lines = [
        component(words, image)
        for words, image in zip(_words(likely), likely["image"], strict=True)
    ]
    chosen = [at for at, (name, _) in enumerate(lines) if name]
    c = likely.iloc[chosen].reset_index(drop=True)
    programs = pa.array([lines[at][0] for at in chosen], pa.string())
    flags = [lines[at][1] for at in chosen]
    program = series(programs, c)
    key = ("pod_uid", "container_type", "container")
    of_etcd = env[env["variable"].str.startswith(("ETCD_", "*")).to_numpy(dtype=bool)]
    by_variable = series(
        named(
            series(pairs(*(of_etcd[k] for k in key)), of_etcd),
            series(pairs(*(c[k] for k in key)), c),
        ),
        c,
    )
    by_file = series(
        pa.array([bool({"config", "config-file"} & f.keys()) for f in flags], pa.bool_()), c
    )
    found: dict[str, Any] = {name: c[name] for name in _COPIED}
    found |= {
        "component": program,
        "api_server": text_is(program, "kube-apiserver"),
        "controller_manager": text_is(program, "kube-controller-manager"),
        "scheduler": text_is(program, "kube-scheduler"),
        "manager": text_is(program, "kube-controller-manager", "kube-scheduler"),
        "kubernetes": ~text_is(program, "etcd"),
        "etcd": text_is(program, "etcd"),
        "told": ~(by_file | (text_is(program, "etcd") & by_variable)),
    }
    for name in _FLAGS:
        flag = name.replace("_", "-")
        found[name] = series(pa.array([f.get(flag) for f in flags], pa.string()), c)
    return assembled(c, found, CONTROL_PLANE.names)


def _mentions(c: pd.DataFrame) -> Any:
    """Choose the few containers whose command line or image names a component at all."""
    import pyarrow.compute as pc

    texts = [pc.fill_null(pc.binary_join(arrow(c[name]), " "), "") for name in ("command", "args")]
    text = pc.binary_join_element_wise(*texts, arrow(c["image"]), " ")
    found = pc.match_substring_regex(text, "|".join(COMPONENTS))
    return found.to_numpy(zero_copy_only=False).astype(bool)


def _words(c: pd.DataFrame) -> Iterator[list[str]]:
    for command, args in zip(
        arrow(c["command"]).to_pylist(), arrow(c["args"]).to_pylist(), strict=True
    ):
        yield [*(command or ()), *(args or ())]


def component(words: list[str], image: str = "") -> tuple[str, dict[str, str]]:
    """Name of the component that a command line starts, and its flags; empty where none.

    >>> component(["/usr/local/bin/etcd", "-auto-tls", "--name", "a", "--cert-file=c"])
    ('etcd', {'auto-tls': 'true', 'name': 'a', 'cert-file': 'c'})
    >>> component(["sh", "-c", "exec kube-scheduler --profiling=false"])
    ('kube-scheduler', {'profiling': 'false'})
    >>> component(["etcdctl", "get", "etcd"])
    ('', {})
    """
    words = [part for word in words for part in word.split()]
    if not words:
        return "", {}
    first = words[0].rpartition("/")[2]
    if first in COMPONENTS:
        return first, flags_of(words[1:])
    if first in _STARTERS:
        for at, word in enumerate(words[1:], start=1):
            if (name := word.rpartition("/")[2]) in COMPONENTS:
                return name, flags_of(words[at + 1 :])
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    if words[0].startswith("-") and name in COMPONENTS:
        return name, flags_of(words)
    return "", {}


def flags_of(words: list[str]) -> dict[str, str]:
    """Flags of a command line by name, without dashes; one without a value is true."""
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        if not word.startswith("-"):
            continue
        name, given, value = word.lstrip("-").partition("=")
        follows = words[at + 1] if at + 1 < len(words) else "-"
        if not given:
            value = "true" if follows.startswith("-") else follows
        found[name.replace("_", "-")] = value.strip("\"'")
    return found
