"""Views of nothing are empty, with the types of full ones."""

from __future__ import annotations

import pytest

from kaudit import registry
from kaudit.evidence.frames import Frames
from kaudit.evidence.store import MemoryStore

registry.load()


@pytest.mark.parametrize("view", sorted(registry.VIEWS))
def test_a_view_of_nothing_is_empty(view: str) -> None:
    found = Frames(MemoryStore([], {}, None)).get(view)
    table = registry.TABLES[view]
    table.check(found)
    assert len(found) == 0
    assert found.dtypes.astype(str).to_dict() == table.empty().dtypes.astype(str).to_dict()
