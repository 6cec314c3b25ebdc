"""Every text of a block is escaped, also where a section of today's reports holds only our own words."""

from __future__ import annotations

import pytest

from kaudit.show.block_html import standalone
from kaudit.show.blocks import (
    Block,
    Callout,
    Code,
    Column,
    Cover,
    Facts,
    Figure,
    Finding,
    Number,
    Numbers,
    Prose,
    Table,
    Tone,
    Verdict,
    Verdicts,
)

BAD = '<img src=x onerror="alert(1)">'


@pytest.mark.parametrize(
    "block",
    [
        Cover(title=BAD, subtitle=BAD, facts=((BAD, BAD),), evidence=BAD),
        Prose(paragraphs=(BAD,), heading=BAD),
        Callout(tone=Tone.INFO, title=BAD, text=BAD),
        Facts(pairs=((BAD, BAD),), caption=BAD),
        Numbers(items=(Number(label=BAD, value=BAD, note=BAD),), caption=BAD),
        Table(caption=BAD, columns=(Column(BAD),), rows=((BAD,),), note=BAD),
        Figure(svg=b"<svg xmlns='http://www.w3.org/2000/svg'/>", alt=BAD, caption=BAD),
        Finding(
            control=BAD,
            title=BAD,
            severity="high",
            layer=BAD,
            counts={"fail": 1},
            expected=BAD,
            rationale=(BAD,),
            remedy=(BAD,),
            patch=BAD,
            language=BAD,
            references=((BAD, (BAD,)),),
            opinion="not effective",
            because=BAD,
        ),
        Code(text=BAD, language=BAD, caption=BAD),
        Verdicts(
            items=(Verdict(BAD, "effective", "effective", BAD, BAD, ((BAD, BAD),)),), caption=BAD
        ),
    ],
    ids=lambda block: type(block).__name__,
)
def test_texts_of_blocks_are_escaped(block: Block) -> None:
    page = standalone(block)
    assert "&lt;img" in page
    assert "<img src=x" not in page
    assert 'onerror="' not in page
