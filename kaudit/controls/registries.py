"""Registries: how nodes reach them, and who may write to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-010",
    layer="build",
    severity="high",
    applies="used",
    expected="HTTPS with a certificate that is verified",
    shows=("software", "plain_http", "unverified"),
)
def registry_not_verified(registry_endpoints: pd.DataFrame) -> pd.Series[Any]:
    """Nodes fetch images by HTTPS, and verify whom they fetch them from.

    Whoever stands between a node and its registry can hand out another image under the same tag,
    and read the credential that the node shows. An address on the node itself is not judged:
    nothing of it goes over a network.

    Remedy:
        Name the authority of the registry's certificate, and keep to HTTPS.

        [host."https://mirror.example.com"]
          ca = "/etc/containerd/certs.d/mirror.example.com/ca.crt"

    Cases:
        # cluster: bad-skip-verify
        {kaudit-file: certs.d/a.example/hosts.toml, lines: ['server = "https://a.example"', '[host."https://mirror.example"]', 'skip_verify = true']}
        ---
        # cluster: bad-plain-mirror
        {kaudit-file: certs.d/_default/hosts.toml, lines: ['[host."http://mirror.example:5000"]', 'capabilities = ["pull"]']}
        ---
        # cluster: bad-containerd-mirror
        {kaudit-file: config.toml, lines: ['version = 2', '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]', 'endpoint = ["http://mirror.example"]']}
        ---
        # cluster: bad-containerd-tls
        {kaudit-file: config.toml, lines: ['version = 2', '[plugins."io.containerd.grpc.v1.cri".registry.configs."a.example".tls]', 'insecure_skip_verify = true']}
        ---
        # cluster: bad-insecure-mirror
        {kaudit-file: registries.conf, lines: ['[[registry]]', 'prefix = "a.example/team"', 'location = "b.example"', '[[registry.mirror]]', 'location = "c.example"', 'insecure = true']}
        ---
        # cluster: bad-older-list
        {kaudit-file: registries.conf, lines: ['[registries.insecure]', "registries = ['a.example']"]}
        ---
        # cluster: bad-docker
        {kaudit-file: daemon.json, content: {insecure-registries: ["10.0.0.0/8"]}}
        ---
        # cluster: bad-k3s
        {kaudit-file: registries.yaml, lines: ["mirrors:", "  docker.io:", "    endpoint: ['http://mirror.example']"]}
        ---
        # cluster: ok-verified
        {kaudit-file: certs.d/a.example/hosts.toml, lines: ['server = "https://a.example"', '[host."https://mirror.example"]', 'ca = "ca.crt"', 'skip_verify = false']}
        ---
        # cluster: ok-blocked-or-local
        {kaudit-file: registries.conf, lines: ['[[registry]]', 'location = "a.example"', 'insecure = true', 'blocked = true', '[[registry]]', 'location = "localhost:5000"', 'insecure = true']}
        ---
        # cluster: ok-mirrors
        {kaudit-file: daemon.json, content: {registry-mirrors: ["https://mirror.example"]}}
    """
    return registry_endpoints["plain_http"] | registry_endpoints["unverified"]
