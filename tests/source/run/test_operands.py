"""Names that come from what is audited are operands of tools, never their options."""

from pathlib import Path

import pytest

from kaudit.source.run.scan import TOOLS
from kaudit.source.run.tool import Settings, Target

HOSTILE = "--output=/etc/passwd"
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("digest", ["", DIGEST])
@pytest.mark.parametrize("name", sorted(TOOLS))
def test_what_is_not_ours_stands_behind_two_dashes(
    name: str, digest: str, local: bool, tmp_path: Path
) -> None:
    tool = TOOLS[name](Settings(local=local, key=tmp_path / "key.pub", schemas=tmp_path))
    target = Target(tool.kind, HOSTILE, digest=digest, path=tmp_path)
    words = [str(word) for word in tool.arguments(target)]
    end = words.index("--") if "--" in words else len(words)
    assert not [word for word in words[:end] if HOSTILE in word]
    assert tool.kind in ("Constraints", "Policies") or any(HOSTILE in w for w in words[end + 1 :])
