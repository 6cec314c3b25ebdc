"""Policies and pods of tables, as the network that they make; see kaudit.model.connectivity."""

from kaudit.network.addresses import APART, METADATA, PRIVATE
from kaudit.network.built import NetworkTables, namespaces_of, network_of, networks_of
from kaudit.network.matrix import Matrix
from kaudit.network.pods import ALIKE, distinct, seen, standing
from kaudit.network.policies import PolicyTables, policies_of, sayings_of

__all__ = [
    "ALIKE",
    "APART",
    "METADATA",
    "PRIVATE",
    "Matrix",
    "NetworkTables",
    "PolicyTables",
    "distinct",
    "namespaces_of",
    "network_of",
    "networks_of",
    "policies_of",
    "sayings_of",
    "seen",
    "standing",
]
