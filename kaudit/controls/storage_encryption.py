"""Encryption of persistent storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd

_UNTOLD = "its settings do not speak of encryption: the default of the cloud may still encrypt"


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
