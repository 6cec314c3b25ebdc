"""Every control keeps the promises of its own cases."""

import pytest

from kaudit import registry
from kaudit.cases import faults

registry.load()


@pytest.mark.parametrize("control", registry.CONTROLS.values(), ids=lambda c: c.id)
def test_cases_fail_exactly_where_they_say(control: registry.Control) -> None:
    assert faults(control) == []
