"""Controls that are defined on the spot fit the tables, or fail at once."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import pytest

from kaudit import registry
from kaudit.errors import RegistryError
from kaudit.table import Row, Table, doc

TEXT = """Images are named.

    A name says what runs.

    Remedy:
        Name it.

    Cases:
        {}
    """


def define(subject: str = "security_context", module: str = "__main__", **more: Any) -> None:
    """Define a control as a cell of a notebook does."""
    scope: dict[str, Any] = {"__name__": module}
    exec(f"def mine({subject}):\n    return {subject}['image'].isna()", scope)
    function: Callable[..., Any] = scope["mine"]
    function.__doc__ = TEXT
    given = {"layer": "deploy", "severity": "low", "expected": "a name"} | more
    registry.control("MY-DEP-901", **given)(function)


@pytest.fixture(autouse=True)
def _forget() -> Any:
    registry.load()
    yield
    registry.CONTROLS.pop("MY-DEP-901", None)


@pytest.mark.parametrize("module", ["__main__", "mine"])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"shows": ("imagee",)}, "security_context has no column imagee; did you mean image"),
        ({"applies": "priviledged"}, "has no column priviledged; did you mean privileged"),
        ({"subject": "security_contxt"}, "no table or view is named security_contxt; did you mean"),
        ({"layer": "deplyo"}, "'deplyo' is no layer; did you mean deploy"),
        ({"severity": "hgih"}, "'hgih' is no severity; did you mean high"),
        ({"weak": ("nodes",)}, "weak: nodes is not needed"),
        ({"hides": ("nodes",)}, "hides: nodes is not needed"),
    ],
)
def test_a_misspelt_name_fails_at_once(module: str, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(RegistryError, match=said) as fault:
        define(module=module, **wrong)
    assert str(fault.value).startswith("control MY-DEP-901: ")
    assert "MY-DEP-901" not in registry.CONTROLS


def test_a_cell_that_runs_again_replaces_its_control_only_if_it_fits() -> None:
    define(shows=("image",))
    with pytest.raises(RegistryError):
        define(shows=("imagee",))
    assert registry.CONTROLS["MY-DEP-901"].shows == ("image",)
    define(shows=("container",))
    assert registry.CONTROLS["MY-DEP-901"].shows == ("container",)


class Both(NamedTuple):
    pods: Any
    nodes: Any


def test_a_parameter_may_stand_for_several_tables() -> None:
    class PairRow(Row):
        pair: Annotated[str, doc("pair")]

    table = Table("pairs_of_test", PairRow, grain="one pair", key=("pair",))
    try:

        @registry.view(table)
        def pairs(namespaces: Any, both: Both, workloads: Any) -> Any:
            return namespaces, both.pods, both.nodes, workloads

        found = registry.VIEWS["pairs_of_test"]
        assert found.needs == ("namespaces", "pods", "nodes", "workloads")
        assert found.function(*found.needs) == found.needs
    finally:
        del registry.VIEWS["pairs_of_test"], registry.TABLES["pairs_of_test"]
