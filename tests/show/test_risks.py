"""Chains of risk as people see them."""

import xml.etree.ElementTree as ET

import pytest

from kaudit import show
from kaudit.assess import assess
from kaudit.correlate import Risks, correlate
from kaudit.errors import InputError
from kaudit.show import blocks as b
from kaudit.show.chain_figure import chain_figure
from tests.memory_source import evidence_of

HOSTILE = "<script>alert(1)</script>\x1b[31m$x^2$ " * 20
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {hostPID: true, containers: [{name: c, image: i, securityContext: {privileged: true}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
"""


def parts(block: b.Block) -> list[b.Block]:
    return (
        [x for one in block.blocks for x in parts(one)] if isinstance(block, b.Stack) else [block]
    )


def test_page_one_shows_the_worst_chain() -> None:
    callout, figure = parts(show.worst(assess(evidence_of(POD))))
    assert isinstance(callout, b.Callout)
    assert callout.tone is b.Tone.DANGER
    assert callout.title == "1 workload on which a chain of risk is proven"
    assert "Break it first: Take away privileged mode" in callout.text
    assert isinstance(figure, b.Figure)
    assert "network: The internet reaches it (chain: internet → Service shop/web" in figure.alt
    assert "deploy: It can get out of its container to the node" in figure.alt
    assert "which the evidence does not tell" not in figure.alt


def test_a_section_counts_what_is_unknown() -> None:
    found = parts(show.risks(assess(evidence_of(POD))))
    numbers = next(x for x in found if isinstance(x, b.Numbers))
    assert [(n.label, n.value) for n in numbers.items][:3] == [
        ("proven", 1),
        ("possible", 0),
        ("workloads", 1),
    ]
    signals = next(x for x in found if isinstance(x, b.Table) and x.caption.startswith("Signals"))
    row = next(r for r in signals.rows if str(r[1]).startswith("A flaw of its image"))
    assert row[2:] == (0, 1)


def test_nothing_found_is_not_said_to_be_all() -> None:
    alone = POD.split("---")[0].replace("hostPID: true, ", "").replace("privileged: true", "")
    (callout,) = parts(show.worst(assess(evidence_of(alone))))
    assert isinstance(callout, b.Callout)
    assert callout.tone is b.Tone.WARNING


def test_hostile_text_is_drawn_as_text_and_stays_inside() -> None:
    import msgspec

    (chain,) = correlate(assess(evidence_of(POD))).proven
    links = tuple(
        msgspec.structs.replace(link, observed=HOSTILE, reason=HOSTILE) for link in chain.links
    )
    figure = chain_figure(msgspec.structs.replace(chain, name=HOSTILE, links=links * 2))
    names = {element.tag.rpartition("}")[2] for element in ET.fromstring(figure.svg).iter()}
    assert names.isdisjoint({"script", "foreignObject", "a", "image"})
    assert "\x1b" not in figure.alt


@pytest.mark.parametrize("which", [None, 1, "Pod shop/web"])
def test_a_chain_is_followed_to_the_rows_and_records_it_cites(which: str | int | None) -> None:
    made = assess(evidence_of(POD))
    (chain,) = correlate(made).chains
    figure, links, *rest = parts(show.chain(made, which))
    assert isinstance(figure, b.Figure)
    assert isinstance(links, b.Table)
    assert len(links.rows) == len(chain.links)
    cited = [link for link in chain.links if link.raw]
    tables = [x for x in rest if isinstance(x, b.Table)]
    assert [t.caption for t in tables] == [f"{x.title}: {x.table}" for x in cited]
    for link, shown in zip(cited, tables, strict=True):
        values = {row[0]: row[1] for row in shown.rows}
        assert (values["raw"], values["raw_line"]) == (link.raw, str(link.raw_line))
    records = [x for x in rest if isinstance(x, b.Code)]
    assert len(records) == len({(x.raw, x.raw_line) for x in cited})
    assert any('"privileged": true' in record.text for record in records)


def test_a_chain_that_is_not_there_names_what_is_near() -> None:
    made = assess(evidence_of(POD))
    with pytest.raises(InputError, match="did you mean Pod shop/web"):
        show.chain(made, "Pod shop/wbe")
    with pytest.raises(InputError, match="rank 7; there are 1"):
        show.chain(made, 7)


def test_where_there_is_no_chain_that_is_said() -> None:
    made = assess(evidence_of("{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}"))
    assert isinstance(show.chain(made), b.Callout)
    with pytest.raises(InputError):
        show.chain(made, 1)


def test_risks_show_themselves_escaped() -> None:
    import msgspec

    found = correlate(assess(evidence_of(POD)))
    hostile = msgspec.structs.replace(found.chains[0], name=HOSTILE, because=HOSTILE)
    page = Risks((hostile,) * 20, found.signals, found.workloads)._repr_html_()
    assert "the first 10" in page
    assert "<script" not in page
    assert "\x1b" not in page
