"""Numbers that have bounds: one outside of them is no such number."""

from __future__ import annotations

from typing import Annotated

import msgspec

#: A score of CVSS, or one that is counted like it.
Score = Annotated[float, msgspec.Meta(ge=0, le=10)]
#: A probability.
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
#: How many there are of something.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
