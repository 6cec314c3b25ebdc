"""The network that the tables of evidence make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from kaudit.columns import arrow, plain_rows
from kaudit.model.connectivity import Network
from kaudit.model.own_networks import UserNetwork, primary_networks
from kaudit.model.policy import Policy
from kaudit.network.pods import distinct, of_all_parts, seen, standing
from kaudit.network.policies import PolicyTables, sayings_of
from kaudit.remembered import remembered

if TYPE_CHECKING:
    import pandas as pd


class NetworkTables(NamedTuple):
    """Tables that tell what the network of a cluster is."""

    network_pods: pd.DataFrame
    namespaces: pd.DataFrame
    network_policies: pd.DataFrame
    network_policy_rules: pd.DataFrame
    other_policies: pd.DataFrame
    other_policy_rules: pd.DataFrame
    user_networks: pd.DataFrame

    @property
    def policies(self) -> PolicyTables:
        """Those that hold the policies."""
        return PolicyTables(*(getattr(self, name) for name in PolicyTables._fields))


class Built(NamedTuple):
    """Pods of the view network_pods that count, the class of each, and their network."""

    pods: pd.DataFrame
    classes: list[int]
    network: Network


@remembered
def network_of(*frames: pd.DataFrame) -> Built:
    """Build the network of NetworkTables; what is not known is unclear in it."""
    tables = NetworkTables(*frames)
    said = sayings_of(*tables.policies)
    pods = of_all_parts(standing(tables.network_pods))
    profiles, numbers = distinct(seen(pods))
    networks = networks_of(tables.user_networks, tables.namespaces, sure=False)
    policies = [*networks, *said.policies]
    network = Network(profiles, namespaces_of(tables.namespaces), policies, said.space)
    return Built(pods, [network.class_of[number] for number in numbers], network)


def networks_of(
    user_networks: pd.DataFrame, namespaces: pd.DataFrame, *, sure: bool
) -> list[Policy]:
    """Primary networks of users, as policies; see kaudit.model.own_networks."""
    found = [UserNetwork(*row) for row in plain_rows(user_networks, *UserNetwork.__struct_fields__)]
    return primary_networks(found, namespaces_of(namespaces), sure=sure)


def namespaces_of(namespaces: pd.DataFrame) -> dict[str, Sequence[str]]:
    """Labels of the namespaces that are known."""
    names, labels = (arrow(namespaces[c]).to_pylist() for c in ("name", "labels"))
    return dict(zip(names, labels, strict=True))
