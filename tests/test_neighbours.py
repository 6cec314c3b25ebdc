"""Who leads to whom: groups give the same as every pair looked at by itself."""

from hypothesis import given
from hypothesis import strategies as st

from kaudit.neighbours import Near, beyond

SIZE = 6
GROUPS = st.sets(st.integers(0, 3), max_size=3)
LINKS = st.dictionaries(st.integers(0, 3), GROUPS, max_size=4)


@given(
    groups=st.dictionaries(st.integers(0, SIZE - 1), GROUPS, max_size=SIZE),
    leads=LINKS,
    doubtful=LINKS,
    unplaced=st.frozensets(st.integers(0, SIZE - 1)),
    targets=st.sets(st.integers(0, SIZE - 1)),
)
def test_groups_say_what_pairs_say(
    groups: dict[int, set[int]],
    leads: dict[int, set[int]],
    doubtful: dict[int, set[int]],
    unplaced: frozenset[int],
    targets: set[int],
) -> None:
    found, perhaps = beyond(Near(groups, leads, doubtful, unplaced), targets, SIZE)
    for place in range(SIZE):
        own = groups.get(place, set())

        def near(target: int, links: dict[int, set[int]], own: set[int] = own) -> bool:
            return any(groups.get(target, set()) & links.get(group, set()) for group in own)

        others = sorted(targets - {place})
        sure = [target for target in others if near(target, leads)]
        assert found.get(place) == (sure[0] if sure else None)
        unsure = any(near(t, doubtful) or t in unplaced or place in unplaced for t in others)
        assert (place in perhaps) == (not sure and unsure)
