"""Credential plugins of a kubeconfig: run under a time limit, with their faults told.

The official client prepares arguments and environment, but waits for ever and only logs
what went wrong.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import PurePath
from typing import Any

import msgspec

from kaudit.errors import InputError
from kaudit.source.live_body import Garbled, decoded
from kaudit.source.live_refusal import shortened


class Credential(msgspec.Struct, rename="camel"):
    """status of an ExecCredential: a token, or a client certificate with its key, as PEM."""

    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _ExecCredential(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    status: Credential


_credential = msgspec.json.Decoder(_ExecCredential).decode


class Plugin:
    """A credential plugin.

    Parameters
    ----------
    exec_, cluster
        Nodes of the official client: the user's ``exec`` and the cluster.
    folder
        Folder of the kubeconfig: relative commands start there.
    where
        The kubeconfig, for messages.
    seconds
        Time limit of a run.
    """

    def __init__(
        self, exec_: Any, cluster: Any, *, folder: str, where: str, seconds: float
    ) -> None:
        from kubernetes.config.config_exception import ConfigException
        from kubernetes.config.exec_provider import ExecProvider

        try:
            self._made = ExecProvider(exec_, folder, cluster)
        except (ConfigException, KeyError, TypeError) as fault:
            raise InputError(f"its exec plugin cannot be used: {fault}", where=where) from None
        self.name = PurePath(str(self._made.args[0])).name
        self._hint = str(exec_.value.get("installHint") or "")
        self._asks = exec_.value.get("interactiveMode") != "Never"
        self._where, self._seconds = where, seconds

    def credential(self) -> Credential:
        """Run the plugin.

        Raises
        ------
        InputError
            It is missing, fails, hangs, or answers with something else; its output, which
            may hold a token, is never shown.
        """
        code, out, said = self._run()
        if code:
            raise self._fault(f"ended with code {code}" + (f": {said}" if said else ""))
        try:
            answer = decoded(out, _credential)
        except Garbled:
            raise self._fault("did not print an ExecCredential with a status") from None
        if answer.api_version != self._made.api_version:
            raise self._fault(
                f"answered as {answer.api_version}, and the kubeconfig says "
                f"{self._made.api_version}"
            )
        status = answer.status
        if not status.token and not (status.client_certificate_data and status.client_key_data):
            raise self._fault("gave neither a token nor a client certificate with its key")
        return status

    def _run(self) -> tuple[int, bytes, str]:
        interactive = self._asks and sys.stdin.isatty() and sys.stderr.isatty()
        info: dict[str, Any] = {"interactive": interactive}
        if self._made.cluster is not None:
            info["cluster"] = _cluster_info(self._made.cluster.value)
        asked = {"apiVersion": self._made.api_version, "kind": "ExecCredential", "spec": info}
        try:
            process = subprocess.Popen(
                [str(arg) for arg in self._made.args],
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if interactive else subprocess.PIPE,
                cwd=self._made.cwd,
                env={**self._made.env, "KUBERNETES_EXEC_INFO": json.dumps(asked)},
                start_new_session=not interactive,
            )
        except (OSError, TypeError, ValueError) as fault:
            said = getattr(fault, "strerror", None) or type(fault).__name__
            raise self._fault(f"cannot be started: {said}", hint=self._hint) from None
        with process:
            try:
                out, err = process.communicate(timeout=self._seconds)
            except subprocess.TimeoutExpired:
                _end(process, group=not interactive)
                raise self._fault(f"did not end within {self._seconds:g} s") from None
            except BaseException:
                _end(process, group=not interactive)
                raise
        lines = (err or b"").decode("utf-8", "replace").strip().splitlines()
        return process.returncode, out, shortened(lines[-1]) if lines else ""

    def _fault(self, said: str, *, hint: str = "") -> InputError:
        return InputError(
            f"its credential plugin {self.name} {said}",
            where=self._where,
            hint=hint or "run kubectl get --raw /version with the same context to see more",
        )


def _end(process: subprocess.Popen[bytes], *, group: bool) -> None:
    """Kill a plugin, with what it started where it has a group of its own."""
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _cluster_info(cluster: dict[str, Any]) -> dict[str, Any]:
    """Cluster as a plugin with ``provideClusterInfo`` is told of it."""
    info = {name: value for name, value in cluster.items() if name != "extensions"}
    for extension in cluster.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info
