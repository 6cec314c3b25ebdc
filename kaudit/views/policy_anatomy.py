"""Rules of admission policies of every engine, taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaudit.registry import view
from kaudit.tables.policy_anatomy import KEY, anatomy

if TYPE_CHECKING:
    import pandas as pd

POLICY_ANATOMY = anatomy(
    "policy_anatomy", "one rule of an admission policy; where bindings put it in force, one binding"
)


@view(POLICY_ANATOMY, gathers=("kyverno_policies", "kyverno_rules", "admission_policies"))
def policy_anatomy(
    gatekeeper_anatomy: pd.DataFrame,
    kyverno_anatomy: pd.DataFrame,
    admission_policy_anatomy: pd.DataFrame,
) -> pd.DataFrame:
    """Put the engines one below the other."""
    import pandas as pd

    parts = [gatekeeper_anatomy, kyverno_anatomy, admission_policy_anatomy]
    whole = pd.concat(parts, ignore_index=True)
    return whole.sort_values([*KEY, "raw", "raw_line"], kind="stable", ignore_index=True)
