"""Which cloud a node is of, by its providerID.

Source: the cloud controller managers of the providers (``aws:///zone/id``, ``gce://…``).
"""

from __future__ import annotations

from collections.abc import Iterable

#: Clouds whose nodes have a metadata address.
_WITH_METADATA = {
    *("aws", "gce", "azure", "digitalocean", "openstack", "ibm", "oci", "alicloud", "hcloud"),
    *("scaleway", "linode", "vultr", "tencentcloud", "huaweicloud", "exoscale", "packet"),
}


def cloud_of(provider_id: str) -> str:
    """Name of the cloud; empty where it is none that is known.

    >>> cloud_of("aws:///eu-west-1a/i-1"), cloud_of("kind://docker/kind/node")
    ('aws', '')
    """
    scheme, sign, _ = provider_id.partition("://")
    return scheme if sign and scheme in _WITH_METADATA else ""


def in_cloud(provider_ids: Iterable[object]) -> bool:
    """Whether any node is of a cloud that answers at the metadata address."""
    return any(cloud_of(text) for text in provider_ids if isinstance(text, str))
