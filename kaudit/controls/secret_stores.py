"""External Secrets: synced, fresh, and from stores that are not too wide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.columns import text_is, where_known
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_UNTOLD = "no controller has said how it went"


@control(
    "KA-SEC-008",
    layer="secrets",
    severity="high",
    expected="condition Ready is True",
    shows=("ready", "reason", "store"),
    null=_UNTOLD,
)
def failing_external_secret(external_secret_sync: pd.DataFrame) -> pd.Series[Any]:
    """Every ExternalSecret is synced.

    One that fails leaves the old value in use after the store has rotated it, or leaves its
    pods without one.

    Remedy:
        Read its condition and its events; the store, the key and the rights are the usual causes.

        kubectl describe externalsecret <name>

    Cases:
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-failing}, spec: {secretStoreRef: {name: vault}}, status: {conditions: [{type: Ready, status: "False", reason: SecretSyncedError}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-synced}, spec: {secretStoreRef: {name: vault}}, status: {conditions: [{type: Ready, status: "True", reason: SecretSynced}]}}
    """
    return ~external_secret_sync["ready"]


@control(
    "KA-SEC-008a",
    layer="secrets",
    severity="high",
    expected="condition Ready is True",
    shows=("provider", "ready", "reason"),
    null=_UNTOLD,
)
def failing_store(secret_stores: pd.DataFrame) -> pd.Series[Any]:
    """Every secret store is ready.

    Nothing that comes from a store that its controller cannot log in to is refreshed.

    Remedy:
        Read its condition; renew its credential, or the role that its service account has.

        kubectl describe secretstore <name>

    Cases:
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: bad-invalid}, spec: {provider: {vault: {}}}, status: {conditions: [{type: Ready, status: "False", reason: InvalidProviderConfig}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: ok-valid}, spec: {provider: {vault: {}}}, status: {conditions: [{type: Ready, status: "True", reason: Valid}]}}
    """
    return ~secret_stores["ready"]


@control(
    "KA-SEC-008b",
    layer="secrets",
    severity="high",
    weak=("secret_stores",),
    expected="the store that it names is there",
    shows=("store_kind", "store", "store_state"),
    null="the evidence holds no store of the kind, or the object stands for many namespaces",
)
def store_missing(external_secret_sync: pd.DataFrame) -> pd.Series[Any]:
    """Every ExternalSecret names a store that exists.

    Without it the value in use can never be rotated.

    Remedy:
        Name a store of its namespace, or a ClusterSecretStore.

        secretStoreRef: {kind: SecretStore, name: vault}

    Cases:
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: ok-store}, spec: {provider: {vault: {}}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-lost}, spec: {secretStoreRef: {name: gone}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-named}, spec: {secretStoreRef: {name: ok-store}}}
    """
    state = external_secret_sync["store_state"]
    return where_known(text_is(state, "missing"), ~text_is(state, "unknown"))


@control(
    "KA-SEC-008c",
    layer="secrets",
    severity="medium",
    weak=("secrets",),
    expected="the Secret that it makes is there",
    shows=("target", "creation_policy", "target_state"),
    null=_UNTOLD,
)
def target_missing(external_secret_sync: pd.DataFrame) -> pd.Series[Any]:
    """The Secret that an ExternalSecret makes is there.

    Pods that use it do not start, or run with what they read before it was deleted.

    Remedy:
        Find out who deleted it; the controller makes it anew once it can read the store.

        kubectl annotate externalsecret <name> force-sync=now --overwrite

    Cases:
        {apiVersion: v1, kind: Secret, metadata: {name: other}, type: Opaque}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-gone}, spec: {target: {name: gone}}, status: {conditions: [{type: Ready, status: "True"}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-there}, spec: {target: {name: other}}, status: {conditions: [{type: Ready, status: "True"}]}}
    """
    e = external_secret_sync
    return where_known(text_is(e["target_state"], "missing"), e["told"])


@control(
    "KA-SEC-008e",
    layer="secrets",
    severity="high",
    expected="initialised and unsealed",
    shows=("initialized", "sealed", "version"),
    null="it does not tell",
)
def sealed_vault(vaults: pd.DataFrame) -> pd.Series[Any]:
    """The Vault that secrets come from is unsealed.

    Nothing is read from one that is sealed, and nothing refreshed.

    Remedy:
        Unseal it; let a key of the cloud, or another Vault, do so at each start.

        vault operator unseal

    Cases:
        # cluster: bad-sealed
        {kaudit-file: status.json, content: {initialized: true, sealed: true, type: shamir, t: 3, n: 5}}
        # cluster: ok-unsealed
        {kaudit-file: status.json, content: {initialized: true, sealed: false, type: awskms, version: 1.20.3}}
    """
    return vaults["sealed"] | ~vaults["initialized"]


@control(
    "KA-SEC-009",
    layer="secrets",
    severity="high",
    applies="periodic",
    expected="refreshed within three intervals and a quarter of an hour",
    shows=("refresh_interval", "refreshed_at", "age_seconds"),
    null="it was never refreshed, has windows of time, or the source does not tell its date",
)
def stale_external_secret(external_secret_sync: pd.DataFrame) -> pd.Series[Any]:
    """Every ExternalSecret is refreshed about as often as it says.

    A value that was revoked in the store stays in use for as long as nobody fetches the new
    one, and Ready can stay True meanwhile.

    Remedy:
        See whether the controller runs and keeps up.

        kubectl logs -n external-secrets deploy/external-secrets

    Cases:
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-stale}, spec: {refreshInterval: 1h}, status: {refreshTime: "2025-11-30T12:00:00Z", conditions: [{type: Ready, status: "True"}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-fresh}, spec: {refreshInterval: 720h}, status: {refreshTime: "2025-11-30T12:00:00Z", conditions: [{type: Ready, status: "True"}]}}
    """
    return external_secret_sync["overdue"]


@control(
    "KA-SEC-010",
    layer="secrets",
    severity="medium",
    expected="an interval above 0 and refreshPolicy Periodic; or a value that is generated",
    shows=("refresh_policy", "refresh_interval"),
)
def never_refreshed(external_secret_sync: pd.DataFrame) -> pd.Series[Any]:
    """Every ExternalSecret asks its store again.

    With an interval of 0, refreshPolicy CreatedOnce or OnChange, or a target that cannot be
    changed, a rotation in the store never arrives. Values of generators do not count.

    Remedy:
        Set an interval.

        refreshInterval: 1h

    Cases:
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-zero}, spec: {refreshInterval: "0", secretStoreRef: {name: vault}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: bad-once}, spec: {refreshPolicy: CreatedOnce, secretStoreRef: {name: vault}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-unset}, spec: {secretStoreRef: {name: vault}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: ok-generated}, spec: {refreshInterval: "0", dataFrom: [{sourceRef: {generatorRef: {kind: Password, name: long}}}]}}
    """
    return ~external_secret_sync["periodic"] & ~external_secret_sync["generated"]


@control(
    "KA-SEC-011",
    layer="secrets",
    severity="high",
    applies="cluster_wide",
    expected="conditions that name the namespaces which may use it",
    shows=("provider", "scopes"),
)
def store_of_every_namespace(store_scope: pd.DataFrame) -> pd.Series[Any]:
    """No ClusterSecretStore is open to every namespace.

    Who may create an ExternalSecret anywhere can then read whatever the store's own login can.

    Remedy:
        Name the namespaces, or use a SecretStore in each.

        conditions: [{namespaces: [payments]}]

    Cases:
        {apiVersion: external-secrets.io/v1, kind: ClusterSecretStore, metadata: {name: bad-open}, spec: {provider: {vault: {}}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ClusterSecretStore, metadata: {name: bad-any}, spec: {provider: {vault: {}}, conditions: [{namespaceRegexes: [".*"]}]}}
        ---
        {apiVersion: external-secrets.io/v1, kind: ClusterSecretStore, metadata: {name: ok-some}, spec: {provider: {vault: {}}, conditions: [{namespaces: [payments]}]}}
    """
    return store_scope["open"]


@control(
    "KA-SEC-011a",
    layer="secrets",
    severity="high",
    expected="a service account, or a client certificate",
    shows=("provider", "auth", "auth_paths", "secrets"),
)
def store_with_static_credential(store_scope: pd.DataFrame) -> pd.Series[Any]:
    """No secret store logs in with a credential that is kept in the cluster.

    It opens all that the store guards, holds until somebody changes it, and is one more Secret
    that the store cannot rotate.

    Remedy:
        Let it log in by a service account: workload identity of the cloud, or Kubernetes
        authentication of Vault.

        auth: {kubernetes: {role: app, serviceAccountRef: {name: vault-auth}}}

    Cases:
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: bad-token}, spec: {provider: {vault: {auth: {tokenSecretRef: {name: t, key: token}}}}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: ok-account}, spec: {provider: {vault: {auth: {kubernetes: {serviceAccountRef: {name: a}}}}}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: ok-ambient}, spec: {provider: {aws: {region: eu-central-1}}}}
    """
    return store_scope["static"]


@control(
    "KA-SEC-011b",
    layer="secrets",
    severity="medium",
    expected="a provider that keeps secrets",
    shows=("provider",),
)
def made_up_store(store_scope: pd.DataFrame) -> pd.Series[Any]:
    """No secret store is of the provider fake.

    Its values are written out in the store itself, for all who may read it. It is for tests.

    Remedy:
        Name the provider that keeps them.

        provider: {vault: {server: https://vault.example}}

    Cases:
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: bad-fake}, spec: {provider: {fake: {data: [{key: a, value: b}]}}}}
        ---
        {apiVersion: external-secrets.io/v1, kind: SecretStore, metadata: {name: ok-vault}, spec: {provider: {vault: {}}}}
    """
    return store_scope["made_up"]
