"""What groups add up to is what a count by hand finds."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from kaudit.groups import Groups

_START = datetime(2026, 1, 1, tzinfo=UTC)
_MOMENT = pa.timestamp("us", tz="UTC")
_WORDS = st.sampled_from([None, "", "a", "b", "c\x1fd", "é"])
_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "y", None]),
        st.one_of(st.none(), st.integers(0, 2)),
        st.one_of(st.none(), st.integers(0, 9)),
        _WORDS,
        st.lists(_WORDS.filter(bool), max_size=3),
        st.one_of(st.none(), st.booleans()),
    ),
    max_size=12,
)


@given(_ROWS, st.integers(0, 2))
def test_groups_add_up(
    rows: list[
        tuple[str | None, int | None, int | None, str | None, list[str | None], bool | None]
    ],
    most: int,
) -> None:
    name, number, day, word, words, flag = (
        pa.array([row[at] for row in rows], kind)
        for at, kind in enumerate(
            [
                pa.string(),
                pa.int64(),
                pa.int64(),
                pa.string(),
                pa.list_(pa.string()),
                pa.bool_(),
            ]
        )
    )
    moment = pa.array(
        [None if row[2] is None else _START + timedelta(days=row[2]) for row in rows], _MOMENT
    )
    groups = Groups(name, number)
    by: dict[tuple[str | None, int | None], list[int]] = {}
    for at, row in enumerate(rows):
        by.setdefault(row[:2], []).append(at)
    held = [[rows[at] for at in some] for some in by.values()]
    assert len(groups) == len(by)
    assert groups.first.tolist() == [some[0] for some in by.values()]
    assert groups.rows().tolist() == [len(some) for some in held]
    assert groups.one(word).to_pylist() == [some[0][3] for some in held]
    assert groups.some(flag).tolist() == [any(row[5] for row in some) for some in held]
    assert groups.kinds(word).tolist() == [len({row[3] for row in some} - {None}) for some in held]
    days = [[row[2] for row in some if row[2] is not None] for some in held]
    assert groups.least(day).to_pylist() == [min(some, default=None) for some in days]
    assert groups.most(moment).to_pylist() == [
        _START + timedelta(days=max(some)) if some else None for some in days
    ]
    assert groups.total(day.fill_null(0)).tolist() == [sum(some) for some in days]
    told = [sorted({row[3] for row in some if row[3]}) for some in held]
    assert groups.texts(word).to_pylist() == told
    listed = [sorted({one for row in some for one in row[4] if one}) for some in held]
    assert groups.texts(words).to_pylist() == listed
    cut = [some[: most or None] for some in told]
    assert groups.texts(word, most=most).to_pylist() == cut
