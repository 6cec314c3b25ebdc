"""Connections from a kubeconfig, or from inside a pod, through the official client.

Its error texts can carry whole user entries, credentials included, so what can be wrong is
checked and said here.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from kaudit.errors import InputError
from kaudit.source.live_exec import Credential, Plugin
from kaudit.source.live_http import Patience

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_DEFAULT = "~/.kube/config"
_EARLY = timedelta(seconds=60)


class Connection(msgspec.Struct):
    """How a cluster is reached.

    Attributes
    ----------
    configuration
        ``kubernetes.client.Configuration``.
    label
        Name of the context.
    namespace
        Namespace of the context, if it has one.
    headers
        Impersonation.
    renew
        Gets a new token into the configuration.
    verified
        False where the kubeconfig waives the check of the server's certificate.
    """

    configuration: Any
    label: str
    namespace: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    renew: Callable[[], None] | None = None
    verified: bool = True


class _Context(msgspec.Struct):
    cluster: str = ""
    user: str = ""
    namespace: str | None = None


class _NamedContext(msgspec.Struct):
    name: str
    context: _Context | None = None


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: dict[str, Any] | None = None


class _NamedUser(msgspec.Struct):
    name: str
    user: dict[str, Any] | None = None


class _Acts(msgspec.Struct, rename="kebab"):
    """As whom a user of a kubeconfig acts."""

    as_: str | None = msgspec.field(name="as", default=None)
    as_uid: str | None = None
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str] | None] | None = None


class _Config(msgspec.Struct, rename="kebab"):
    """A kubeconfig as far as it is checked; of several files the first to name a thing wins."""

    contexts: list[_NamedContext] | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    current_context: str | None = None


def connection(name: str | None, kubeconfig: Path | None, patience: Patience) -> Connection:
    """Return the connection of a context (the current one by default).

    Raises
    ------
    InputError
        There is no kubeconfig, it cannot be used, or it has no such context.
    """
    named = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG", "")
    paths = [Path(p).expanduser() for p in (named or _DEFAULT).split(os.pathsep) if p]
    present = [path for path in paths if path.exists()]
    if not present:
        if kubeconfig is None and name is None and (ACCOUNT / "token").is_file():
            return in_cluster(ACCOUNT)
        raise InputError(
            "there is no kubeconfig here",
            where=named or _DEFAULT,
            hint="set KUBECONFIG to the file that kubectl uses",
        )
    where = os.pathsep.join(map(str, present))
    configs = [_checked(path) for path in present]
    context = _context(configs, name, where)
    return _connection(configs, context, where, patience)


def _checked(path: Path) -> _Config:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", where=path) from None
    except UnicodeDecodeError:
        raise InputError("is no text, so no kubeconfig", where=path) from None
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        said = f"is no kubeconfig: the YAML breaks{line}"
        raise InputError(said, where=path) from None
    except RecursionError:
        raise InputError("is no kubeconfig: it is nested too deeply", where=path) from None
    if content is None:
        raise InputError("is empty, so no kubeconfig", where=path)
    try:
        return msgspec.convert(content, _Config)
    except msgspec.ValidationError as fault:
        raise InputError(f"is no kubeconfig: {fault}", where=path) from None


def _context(configs: list[_Config], wanted: str | None, where: str) -> _NamedContext:
    known = {item.name: item for c in reversed(configs) for item in reversed(c.contexts or [])}
    listed = ", ".join(sorted(known)) or "none"
    current = [c.current_context for c in configs if c.current_context]
    name = wanted if wanted is not None else next(iter(current), "")
    if not name:
        raise InputError(
            "no context is the current one",
            where=where,
            hint=f"name one as context:NAME; there are: {listed}",
        )
    if name not in known:
        raise InputError(f"there is no context {name!r}", where=where, hint=f"it has: {listed}")
    return known[name]


def _connection(
    configs: list[_Config], named: _NamedContext, where: str, patience: Patience
) -> Connection:
    from kubernetes.client import Configuration
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

    context = named.context or _Context()
    user = _parts(configs, named.name, context, where)
    configuration = Configuration()
    try:
        merged = KubeConfigMerger(where)
        plugin = _plugin(merged.config, context, where, patience)
        credential = plugin.credential() if plugin else None
        if credential:
            _put(merged.config["users"].get_with_name(context.user)["user"].value, credential)
        # The client keeps tokens that it refreshed itself (old auth providers) as kubectl does.
        keeper = merged.save_changes if "auth-provider" in user else None
        KubeConfigLoader(
            merged.config, active_context=named.name, config_base_path=None, config_persister=keeper
        ).load_and_set(configuration)
    except ConfigException as fault:
        told = str(fault) if str(fault).startswith("File does not exist") else "it is incomplete"
        raise InputError(
            f"the context {named.name!r} cannot be used: {told}", where=where
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise InputError(
            f"the context {named.name!r} cannot be used ({type(fault).__name__})",
            where=where,
            hint="check the files and the base64 data that it names",
        ) from None
    _transport(configuration, where)
    renew = _renewal(configuration, plugin, credential) if plugin and credential else None
    return Connection(
        configuration,
        named.name,
        namespace=context.namespace or "",
        headers=_impersonation(user, where),
        renew=renew,
        verified=bool(configuration.verify_ssl),
    )


def _parts(configs: list[_Config], name: str, context: _Context, where: str) -> Mapping[str, Any]:
    """Check that cluster and user of a context are there; return the user."""
    clusters = {x.name: x.cluster for c in reversed(configs) for x in reversed(c.clusters or [])}
    users = {x.name: x.user for c in reversed(configs) for x in reversed(c.users or [])}
    if context.cluster not in clusters:
        said = f"the context {name!r} names the cluster {context.cluster!r}, which is not there"
        raise InputError(said, where=where)
    if context.user and context.user not in users:
        said = f"the context {name!r} names the user {context.user!r}, which is not there"
        raise InputError(said, where=where)
    if not (clusters[context.cluster] or {}).get("server"):
        raise InputError(f"the cluster {context.cluster!r} has no server", where=where)
    return users.get(context.user) or {}


def _plugin(config: Any, context: _Context, where: str, patience: Patience) -> Plugin | None:
    if not context.user:
        return None
    user = config["users"].get_with_name(context.user)
    mine = user.value.get("user") or {}
    if not mine.get("exec") or any(k in mine for k in ("token", "tokenFile", "auth-provider")):
        return None
    cluster = config["clusters"].get_with_name(context.cluster)
    folder = os.path.dirname(os.path.abspath(user.path))
    return Plugin(
        user["user"]["exec"],
        cluster["cluster"],
        folder=folder,
        where=where,
        seconds=patience.command,
    )


def _put(user: dict[str, Any], credential: Credential) -> None:
    """Put what a plugin gave where the client looks for static credentials."""
    user.pop("exec", None)
    if credential.token:
        user["token"] = credential.token
    if credential.client_certificate_data and credential.client_key_data:
        for name, pem in (
            ("client-certificate-data", credential.client_certificate_data),
            ("client-key-data", credential.client_key_data),
        ):
            user[name] = base64.b64encode(pem.encode()).decode()


def _renewal(configuration: Any, plugin: Plugin, first: Credential) -> Callable[[], None] | None:
    """Return what gets a new token, and let the client call it shortly before one expires."""
    if not first.token:
        return None
    expires = first.expiration_timestamp

    def renew() -> None:
        nonlocal expires
        credential = plugin.credential()
        if credential.token:
            configuration.api_key["BearerToken"] = f"Bearer {credential.token}"
        expires = credential.expiration_timestamp

    def hook(_: object) -> None:
        nonlocal expires
        if expires is None or datetime.now(UTC) < expires - _EARLY:
            return
        try:
            renew()
        except InputError:
            expires = None  # the server will say what it thinks of the old one

    configuration.refresh_api_key_hook = hook
    return renew


def _transport(configuration: Any, where: str) -> None:
    proxy = str(configuration.proxy or "")
    if proxy.startswith("socks") and importlib.util.find_spec("socks") is None:
        raise InputError(
            "a SOCKS proxy is configured", where=where, hint="pip install pysocks, or use HTTP"
        )
    if not configuration.verify_ssl:
        from urllib3.exceptions import InsecureRequestWarning

        # Noted once as a gap of the evidence, instead of a warning for each request.
        warnings.filterwarnings("ignore", category=InsecureRequestWarning)


def _impersonation(user: Mapping[str, Any], where: str) -> tuple[tuple[str, str], ...]:
    """Headers of the user that the kubeconfig acts as; the client itself has no word for it."""
    try:
        acts = msgspec.convert(dict(user), _Acts)
    except msgspec.ValidationError as fault:
        raise InputError(f"whom its user acts as is not understood: {fault}", where=where) from None
    headers = [("Impersonate-User", acts.as_), ("Impersonate-Uid", acts.as_uid)]
    headers += [("Impersonate-Group", group) for group in acts.as_groups or ()]
    for key, values in (acts.as_user_extra or {}).items():
        headers += [(f"Impersonate-Extra-{key}", value) for value in values or ()]
    found = tuple((name, value) for name, value in headers if value)
    if not all(text.isprintable() for header in found for text in header):
        raise InputError("whom its user acts as holds control characters", where=where)
    return found


def in_cluster(folder: Path = ACCOUNT, environ: Mapping[str, str] = os.environ) -> Connection:
    """Return the connection of the pod that this runs in.

    Raises
    ------
    InputError
        It is no pod, or has no service account token.
    """
    from kubernetes.client import Configuration
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.incluster_config import InClusterConfigLoader

    configuration = Configuration()
    try:
        InClusterConfigLoader(
            str(folder / "token"), str(folder / "ca.crt"), environ=environ
        ).load_and_set(configuration)
    except (ConfigException, OSError) as fault:
        raise InputError(f"the pod's own account cannot be used: {fault}", where=folder) from None
    file = folder / "namespace"
    namespace = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    return Connection(configuration, "in-cluster", namespace=namespace)
