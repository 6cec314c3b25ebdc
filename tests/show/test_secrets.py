"""The secrets section: what it says on the demo, and on next to nothing."""

from __future__ import annotations

from datetime import datetime

import pytest

from kaudit import show
from kaudit.assess import assess
from kaudit.assessment import Assessment
from kaudit.collect import collect
from kaudit.demo import NOW, write
from kaudit.show.block_text import text_of
from kaudit.show.blocks import Callout, Figure, Table
from kaudit.source.files import FileSource
from tests.memory_source import MemorySource


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    folder = tmp_path_factory.mktemp("demo") / "dump"
    write(folder)
    return assess(collect(FileSource(folder), as_of=datetime.fromisoformat(NOW), raw=False), [])


def test_the_section_has_pictures_and_tables(demo: Assessment) -> None:
    parts = show.secrets(demo).blocks
    pictures = [part for part in parts if isinstance(part, Figure)]
    assert [p.caption.split(",")[0].split(";")[0] for p in pictures] == [
        "Last refresh of each ExternalSecret",
        "Secrets with credentials",
        "From who keeps a Secret to the workloads that hold it",
    ]
    fresh, _, held = (picture.alt for picture in pictures)
    assert "payments/ledger-db: 3 d ago, every 6h, fail" in fresh
    assert "payments/payment-gateway: 40 min ago, every 1h, pass" in fresh
    assert "production/app-secrets kept by ExternalSecret, held by production/secure-app" in held
    assert len([part for part in parts if isinstance(part, Table)]) == 6


def test_who_reads_beyond_their_own_is_listed(demo: Assessment) -> None:
    said = text_of(show.secret_readers(demo))
    assert "maps-key, sms" in " ".join(said.split())
    assert "system:masters" not in said


def test_what_is_not_known_is_said() -> None:
    nothing = assess(collect(MemorySource()), [])
    parts = show.secrets(nothing).blocks
    assert all(isinstance(part, Callout) for part in parts)
    assert [part.title for part in parts if isinstance(part, Callout)] == [
        "No secret store is in the evidence",
        "No ExternalSecret is in the evidence",
        "No Secret is in the evidence",
        "No workload holds a Secret, as far as is known",
        "Readers are not known",
    ]
