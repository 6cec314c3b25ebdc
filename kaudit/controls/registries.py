"""Registries: how nodes reach them, and who may write to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import flags, text_is
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_UNTOLD = "a role that kaudit does not know, or a condition or refusal beside the grant, decides"


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


@control(
    "KA-BLD-026",
    layer="build",
    severity="medium",
    applies="active",
    null=_UNTOLD,
    expected="writers who are named",
    shows=("system", "subject_kind", "role", "pushes", "deletes"),
)
def written_by_anybody(registry_grants: pd.DataFrame) -> pd.Series[Any]:
    """Nobody writes to a registry without being named.

    Whoever may push can put another image under a tag that the cluster pulls. A right of
    everybody, or of everybody who can log in, is a right of whoever steals one login.

    Remedy:
        Grant pushing to the robot of each pipeline, for its own repositories.

        "repositories": {"team/**": {"policies": [{"users": ["ci"], "actions": ["read", "create"]}], "defaultPolicy": ["read"]}}

    Cases:
        # cluster: bad-anonymous
        {kaudit-file: zot.json, content: {http: {port: 5000}, storage: {rootDirectory: /var/lib/zot}}}
        ---
        # cluster: bad-default-policy
        {kaudit-file: zot.json, content: {http: {auth: {htpasswd: {path: /etc/zot}}, accessControl: {repositories: {"team/**": {defaultPolicy: [read, create]}}}}, storage: {}}}
        ---
        # cluster: bad-distribution
        {kaudit-file: config.yml, lines: ["version: 0.1", "storage: {filesystem: {rootdirectory: /var}}", "http: {addr: ':5000'}"]}
        ---
        # cluster: bad-any-principal
        {kaudit-file: policy.json, content: {repositoryName: app, policyText: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}'}}
        ---
        # cluster: bad-all-users
        {kaudit-file: iam.json, content: {bindings: [{members: [allAuthenticatedUsers], role: roles/artifactregistry.writer}]}}
        ---
        # cluster: ok-named
        {kaudit-file: zot.json, content: {http: {auth: {htpasswd: {path: /etc/zot}}, accessControl: {repositories: {"team/**": {policies: [{users: [ci], actions: [read, create]}], defaultPolicy: [read], anonymousPolicy: [read]}}}}, storage: {}}}
        ---
        # cluster: ok-members
        {kaudit-file: members.json, content: [{id: 1, project_id: 7, entity_name: ann, entity_type: u, role_id: 2, role_name: developer}]}
        ---
        # cluster: ok-condition-decides
        {kaudit-file: policy.json, content: {repositoryName: app, policyText: '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["ecr:Put*"], "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}}'}}
    """
    g = registry_grants
    unnamed = text_is(g["subject_kind"], "anonymous", "everyone")
    return _held(g, unnamed, g["pushes"] | g["deletes"] | g["administers"])


@control(
    "KA-BLD-026a",
    layer="build",
    severity="low",
    applies="active",
    null=_UNTOLD,
    expected="a login for every pull",
    shows=("system", "role", "repository"),
)
def pulled_by_anybody(registry_grants: pd.DataFrame) -> pd.Series[Any]:
    """No repository is open to whoever does not log in.

    Images hold code, names of hosts and sometimes credentials. Where one is meant to be public,
    a waiver says so.

    Remedy:
        Make the project private, and give the cluster a pull secret.

        {"metadata": {"public": "false"}}

    Cases:
        # cluster: bad-public-project
        {kaudit-file: projects.json, content: [{project_id: 1, name: team, metadata: {public: "true"}}]}
        ---
        # cluster: bad-all-users
        {kaudit-file: iam.json, content: {bindings: [{members: [allUsers], role: roles/artifactregistry.reader}]}}
        ---
        # cluster: ok-private-project
        {kaudit-file: projects.json, content: [{project_id: 1, name: team, metadata: {public: "false"}}]}
        ---
        # cluster: ok-robot
        {kaudit-file: robots.json, content: [{name: "robot$ci", level: project, permissions: [{kind: project, namespace: team, access: [{resource: repository, action: pull}]}]}]}
    """
    g = registry_grants
    return _held(g, text_is(g["subject_kind"], "anonymous"), g["pulls"])


@control(
    "KA-BLD-026b",
    layer="build",
    severity="medium",
    applies="active",
    null=_UNTOLD,
    expected="writers of their own repositories only",
    shows=("system", "subject_kind", "role", "expires_at"),
)
def written_everywhere(registry_grants: pd.DataFrame) -> pd.Series[Any]:
    """Nobody but administrators writes to every repository.

    The credential of one pipeline that may push everywhere replaces the images of all others.

    Remedy:
        Limit the robot to the projects that it builds.

        {"kind": "project", "namespace": "team", "access": [{"resource": "repository", "action": "push"}]}

    Cases:
        # cluster: bad-robot
        {kaudit-file: robots.json, content: [{name: "robot$ci", level: system, permissions: [{kind: project, namespace: "*", access: [{resource: repository, action: push}]}]}]}
        ---
        # cluster: bad-user
        {kaudit-file: zot.json, content: {http: {accessControl: {repositories: {"**": {policies: [{users: [ci], actions: [read, create, update]}]}}}}, storage: {}}}
        ---
        # cluster: ok-own-project
        {kaudit-file: robots.json, content: [{name: "robot$ci", level: project, permissions: [{kind: project, namespace: team, access: [{resource: repository, action: push}]}]}]}
        ---
        # cluster: ok-disabled-or-administrator
        {kaudit-file: robots.json, content: [{name: "robot$old", level: system, disable: true, permissions: [{kind: project, namespace: "*", access: [{resource: repository, action: push}]}]}]}
        ---
        {kaudit-file: zot.json, content: {http: {accessControl: {adminPolicy: {users: [root], actions: [read, create, update, delete]}}}, storage: {}}}
    """
    g = registry_grants
    named = ~text_is(g["subject_kind"], "anonymous", "everyone")
    return _held(g, named & g["everywhere"] & ~flags(g["administers"]), g["pushes"] | g["deletes"])


def _held(grants: pd.DataFrame, asked: pd.Series[Any], held: pd.Series[Any]) -> pd.Series[Any]:
    """Where it is asked, whether the right is held; null where something else decides."""
    told = held.where(~(grants["conditional"] & flags(held)))
    return told.where(asked, False)
