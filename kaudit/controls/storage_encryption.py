"""Encryption of what is stored: by the API server, and on persistent volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_UNTOLD = "its settings do not speak of encryption: the default of the cloud may still encrypt"


@control(
    "KA-SEC-001a",
    layer="secrets",
    severity="critical",
    expected="kms v2, secretbox or aescbc before identity",
    shows=("provider", "kms_version", "providers", "resources"),
    null="aesgcm is sound only while its keys are rotated, which the file does not tell",
)
def weak_encryption(encryption_config: pd.DataFrame) -> pd.Series[Any]:
    """What encrypts Secrets in etcd is sound.

    The first entry that matches counts, and its first provider writes: identity there leaves
    Secrets in the clear. kms v1 is deprecated. What was stored before stays as it is until it is
    written again. Keys are not kept here.

    Remedy:
        Put a sound provider first, then write all Secrets again.

        kubectl get secrets -A -o json | kubectl replace -f -

    Cases:
        {kaudit-file: bad-identity.yaml, content: {apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: [{resources: [secrets], providers: [{identity: {}}, {aescbc: {keys: [{name: a, secret: c2VjcmV0}]}}]}]}}
        ---
        {kaudit-file: bad-other.yaml, content: {apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: [{resources: [configmaps], providers: [{secretbox: {keys: []}}]}]}}
        ---
        {kaudit-file: bad-old-kms.yaml, content: {apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: [{resources: ["*."], providers: [{kms: {name: k, endpoint: "unix:///k.sock"}}]}]}}
        ---
        {kaudit-file: ok-kms.yaml, content: {apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: [{resources: [secrets, configmaps], providers: [{kms: {apiVersion: v2, name: k, endpoint: "unix:///k.sock"}}, {identity: {}}]}]}}
    """
    return ~encryption_config["encrypts"]


@control(
    "KA-SEC-022",
    layer="secrets",
    severity="medium",
    expected="parameters that ask for encryption",
    shows=("provisioner", "encryption"),
    null=_UNTOLD,
)
def unencrypted_class(storage_classes: pd.DataFrame) -> pd.Series[Any]:
    """Storage classes make encrypted volumes.

    A volume outlives its pod, and its snapshots leave the cluster. What a cloud encrypts by
    default cannot be seen in the class.

    Remedy:
        Make a class that asks for it; parameters of a class cannot be changed.

        parameters: {encrypted: "true"}

    Cases:
        {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: bad-plain}, provisioner: ebs.csi.aws.com, parameters: {encrypted: "false"}}
        ---
        {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: ok-encrypted}, provisioner: ebs.csi.aws.com, parameters: {encrypted: "true"}}
        ---
        {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: ok-own-key}, provisioner: pd.csi.storage.gke.io, parameters: {disk-encryption-kms-key: projects/p/locations/l/keyRings/r/cryptoKeys/k}}
        ---
        {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: ok-untold}, provisioner: disk.csi.azure.com, parameters: {skuName: Premium_LRS}}
    """
    return ~storage_classes["encrypted"]


@control(
    "KA-SEC-022a",
    layer="secrets",
    severity="medium",
    expected="attributes that tell of encryption",
    shows=("driver", "storage_class", "claim"),
    null=_UNTOLD,
)
def unencrypted_volume(persistent_volumes: pd.DataFrame) -> pd.Series[Any]:
    """Persistent volumes are encrypted.

    A class that asks for encryption changes nothing for volumes that were made before it.

    Remedy:
        Restore a snapshot of it into an encrypted volume.

        kubectl get pv <name> -o yaml

    Cases:
        {apiVersion: v1, kind: PersistentVolume, metadata: {name: bad-plain}, spec: {csi: {driver: driver.longhorn.io, volumeHandle: v, volumeAttributes: {encrypted: "false"}}}}
        ---
        {apiVersion: v1, kind: PersistentVolume, metadata: {name: ok-encrypted}, spec: {csi: {driver: driver.longhorn.io, volumeHandle: v, volumeAttributes: {encrypted: "true"}}}}
        ---
        {apiVersion: v1, kind: PersistentVolume, metadata: {name: ok-untold}, spec: {nfs: {server: s, path: /}}}
    """
    return ~persistent_volumes["encrypted"]
