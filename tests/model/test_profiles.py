"""Which pods a reference means: asked of each namespace, or of all at once."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaudit.model import profiles
from kaudit.model.address_space import AddressSpace
from kaudit.model.policy import PeerRef
from kaudit.model.profiles import Profile, Profiles

_LABELS = st.lists(st.sampled_from(["app=web", "app=db", "tier=back"]), unique=True, max_size=2)
_SELECTORS = (
    "{}",
    '{"matchLabels":{"app":"web"}}',
    '{"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]}',
    "app == 'db' && !has(tier)",
)
_OF_PODS = (
    *_SELECTORS,
    '{"matchLabels":{"io.kubernetes.pod.namespace":"a"}}',
    '{"matchLabels":{"io.cilium.k8s.namespace.labels.app":"web"}}',
    "has(io.cilium.k8s.namespace.labels.tier)",
)
_PEERS = st.builds(
    lambda spaces, space, pods: PeerRef("pods", spaces, "" if spaces else space, pods),
    st.sampled_from([None, *_SELECTORS, '{"matchLabels":{"kubernetes.io/metadata.name":"b"}}']),
    st.sampled_from(["", "a", "d"]),
    st.sampled_from([None, *_OF_PODS]),
)
_PODS = st.builds(Profile, st.sampled_from("abc"), _LABELS.map(tuple), st.just(()), st.booleans())


@pytest.mark.parametrize("cautious", [True, False])
@given(st.lists(_PODS, max_size=8), st.dictionaries(st.sampled_from("ab"), _LABELS), _PEERS)
def test_namespaces_are_asked_one_by_one_or_all_at_once(
    cautious: bool, pods: list[Profile], spaces: dict[str, list[str]], peer: PeerRef
) -> None:
    found = []
    for few in (0, 16):
        with patch.object(profiles, "_FEW", few):
            asked = Profiles(pods, spaces, AddressSpace([]), cautious=cautious)
            sure, may = map(sorted, asked.subject(peer))
            assert not {*sure} & {*may}
            found.append((sure, may, [sorted(some) for some in asked.peer(peer)[:2]]))
    assert found[0] == found[1]
    assert len(found[0][0]) == len({*found[0][0]})


def test_labels_of_cilium_are_of_the_namespace() -> None:
    pods = [Profile("a"), Profile("b"), Profile("a", host=True)]
    asked = Profiles(pods, {"a": ["app=web"]}, AddressSpace([]), cautious=False)
    chosen = PeerRef("pods", pods='{"matchLabels":{"io.cilium.k8s.namespace.labels.app":"web"}}')
    assert [*map(list, asked.subject(chosen))] == [[0, 2], []]
    sure, may, *_ = asked.peer(chosen)
    assert (list(sure), list(may)) == ([0], [2])
