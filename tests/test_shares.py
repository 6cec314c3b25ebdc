"""What two processes judge apart is judged once, and needs nothing twice."""

from kaudit import registry
from kaudit.shares import shares

registry.load()
CONTROLS = list(registry.CONTROLS.values())


def test_each_control_is_in_one_share() -> None:
    found = shares(CONTROLS)
    positions = [at for share in found.shares for at in share.positions]
    assert sorted(positions) == list(range(len(CONTROLS)))
    assert len(found.shares) > 10


def test_no_view_is_computed_for_two_shares_but_those_of_everybody() -> None:
    found = shares(CONTROLS)
    seen: dict[str, int] = {}
    for number, share in enumerate(found.shares):
        for at in share.positions:
            control = CONTROLS[at]
            for name in registry.resting_on(control.subject, *control.needs):
                if name in registry.VIEWS and name not in found.common:
                    assert seen.setdefault(name, number) == number, name


def test_what_a_share_lets_go_of_is_needed_by_no_other() -> None:
    given = registry.summed_views(*(control.subject for control in CONTROLS))
    found = shares(CONTROLS, given)
    assert any(share.alone for share in found.shares)
    for share in found.shares:
        others = [c for at, c in enumerate(CONTROLS) if at not in share.positions]
        needed = {n for c in others for n in registry.resting_on(c.subject, *c.needs, given=given)}
        assert not share.alone & needed
