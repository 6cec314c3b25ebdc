"""What results add up to: for a control, and for a layer."""

import pytest

from kaudit import registry
from kaudit.conclude import Conclusion, ControlTally, LayerConclusion, conclude, conclude_layers
from kaudit.model.words import Layer, Opinion
from kaudit.registry import Control

registry.load()


@pytest.mark.parametrize(
    ("tally", "opinion", "because"),
    [
        (ControlTally(pass_=3), Opinion.EFFECTIVE, "all 3 resources pass"),
        (ControlTally(pass_=1), Opinion.EFFECTIVE, "the only resource passes"),
        (ControlTally(fail_=2000), Opinion.NOT_EFFECTIVE, "2,000 of 2,000 resources fail"),
        (ControlTally(pass_=3, fail_=1), Opinion.NOT_EFFECTIVE, "1 of 4 resources fails"),
        (
            ControlTally(pass_=3, fail_=1, waived=1),
            Opinion.WITH_EXCEPTIONS,
            "1 of 4 resources fails under a waiver",
        ),
        (ControlTally(pass_=3, not_assessed_=1), Opinion.UNABLE, "1 of 4 could not be assessed"),
        (ControlTally(fail_=1, not_assessed_=1), Opinion.NOT_EFFECTIVE, "1 of 2 resources fails"),
        (ControlTally(error_=1), Opinion.UNABLE, "the control crashed"),
        (ControlTally(not_applicable_=2), Opinion.NOT_APPLICABLE, "there is nothing"),
        (ControlTally(manual_=1), Opinion.UNABLE, "1 of 1 could not be assessed"),
    ],
)
def test_a_control(tally: ControlTally, opinion: Opinion, because: str) -> None:
    found = conclude(tally)
    assert found.opinion is opinion
    assert because in found.because


def layers(**given: Opinion) -> dict[Layer, LayerConclusion]:
    """Conclude on layers of which one control each has the given opinion."""
    chosen: dict[str, Control] = {}
    for name in given:
        of_layer = [c for c in registry.CONTROLS.values() if c.layer is Layer(name)]
        chosen[name] = min(of_layer, key=lambda c: (c.severity.rank, c.id))
    operation = {c.id: Conclusion(given[name], "") for name, c in chosen.items()}
    tallies = {c.id: ControlTally() for c in chosen.values()}
    found = conclude_layers(list(chosen.values()), tallies, operation)
    return {layer.layer: layer for layer in found}


def test_a_layer_is_not_effective_where_a_severe_control_is_not() -> None:
    found = layers(deploy=Opinion.NOT_EFFECTIVE)[Layer.DEPLOY]
    assert found.operation is Opinion.NOT_EFFECTIVE
    assert found.operation_because == "1 of 1 control fails at high or critical severity"


def test_a_layer_is_effective_where_all_that_applies_is() -> None:
    for layer in Layer:
        found = layers(**{layer: Opinion.EFFECTIVE})[layer]
        assert found.operation is Opinion.EFFECTIVE
    found = layers(deploy=Opinion.WITH_EXCEPTIONS)[Layer.DEPLOY]
    assert found.operation is Opinion.WITH_EXCEPTIONS


def test_all_five_layers_are_concluded_on() -> None:
    found = layers(network=Opinion.EFFECTIVE)
    assert list(found) == list(Layer)
    assert found[Layer.BUILD].operation is Opinion.UNABLE
    assert all(layer.design is Opinion.UNABLE for layer in found.values())
