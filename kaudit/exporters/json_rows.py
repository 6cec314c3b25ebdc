"""Results as JSON text, column by column: there may be millions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kaudit.assessment import Assessment
from kaudit.model.words import Status
from kaudit.resources import Resources, digest, parts_of
from kaudit.result import OF_CODE, Columns, ControlResult
from kaudit.waivers import covering

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_encode = msgspec.json.Encoder().encode


class Rows:
    """Writes results of controls; texts of resources are written once for all of them.

    Parameters
    ----------
    assessment
        Whose results are written.
    size
        Results in one piece of text.
    """

    def __init__(self, assessment: Assessment, size: int) -> None:
        self._assessment, self._size = assessment, size
        self._resources: dict[int, tuple[pa.Array, pa.Array]] = {}

    def of(self, by: ControlResult) -> Iterator[bytes]:
        """Yield the results of a control, each with a comma after it."""
        found = by.columns()
        if len(found.numbers):
            texts = _Texts(by, *self._of_resources(by.resources))
            for at in range(0, len(found.numbers), self._size):
                some = Columns(*(column[at : at + self._size] for column in found))
                yield texts.written(some, self._waivers(by, some))
        if by.loose:
            yield _encode(by.loose)[1:-1] + b","

    def _of_resources(self, resources: Resources) -> tuple[pa.Array, pa.Array]:
        """Fields that name each resource, and its digest."""
        import pyarrow as pa

        kept = self._resources.get(id(resources))
        if kept is None:
            names = [f'"{name}":' for name in ("kind", "namespace", "name", "container")]
            first, second, third, fourth = names
            keys = resources.keys
            named = [
                f"{first}{_json(kind)},{second}{_json(namespace)},{third}{_json(name)},"
                f"{fourth}{_json(container)},"
                for kind, namespace, name, container in map(parts_of, keys)
            ]
            digests = [digest(key) for key in keys]
            kept = pa.array(named, pa.string()), pa.array(digests, pa.string())
            self._resources[id(resources)] = kept
        return kept

    def _waivers(self, by: ControlResult, found: Columns) -> Sequence[str] | None:
        """Id of the waiver of each result; None where there are no waivers at all."""
        waivers, as_of = self._assessment.waivers, self._assessment.evidence.as_of
        if not waivers:
            return None
        return [
            covering(waivers, as_of, by.control.id, by.resources.parts(number))
            if OF_CODE[code] is Status.FAIL
            else ""
            for number, code in zip(found.numbers.tolist(), found.codes.tolist(), strict=True)
        ]


class _Texts:
    """The texts that the results of one control are put together from."""

    def __init__(self, by: ControlResult, named: pa.Array, digests: pa.Array) -> None:
        import pyarrow as pa

        c = by.control
        self._by, self._named, self._digests = by, named, digests
        self._heads = pa.array(
            [
                f'{{"control":{_json(c.id)},"status":{_json(OF_CODE[code])},'
                f'"severity":{_json(c.severity)},"layer":{_json(c.layer)},'
                for code in sorted(OF_CODE)
            ]
        )
        self._reasons = _fields(by.reasons, '"reason":', ',"rows":')
        words = by.observations.words
        self._observed = _fields(words, '"observed":', f',"expected":{_json(c.expected)},')
        self._raw = _fields(words, ',"raw":', ',"raw_line":')
        self._print = f',"fingerprint":{_json(c.id.lower())[:-1]}.'

    def written(self, found: Columns, waivers: Sequence[str] | None) -> bytes:
        """Text of some results, each with a comma after it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        text, raw, line = self._by.observations.columns(found.seen)
        waiver: Any = '","waiver":""'
        if waivers is not None:
            waiver = pa.array([f'","waiver":{_json(w)}' for w in waivers])
        joined = pc.binary_join_element_wise(
            _taken(self._heads, found.codes),
            _taken(self._named, found.numbers),
            _taken(self._observed, text),
            _taken(self._reasons, found.reasons),
            pc.cast(pa.array(found.rows), pa.string()),
            ',"failed":',
            pc.cast(pa.array(found.failed), pa.string()),
            self._print,
            _taken(self._digests, found.numbers),
            waiver,
            _taken(self._raw, raw),
            pc.cast(pa.array(line), pa.string()),
            "},",
            "",
        )
        return joined.buffers()[2].to_pybytes()  # type: ignore[no-any-return]


def _json(text: str) -> str:
    return _encode(text).decode()


def _fields(texts: Sequence[str], before: str, after: str) -> pa.Array:
    """Each text as JSON between two others; the last stands for no text."""
    import pyarrow as pa

    return pa.array([f"{before}{_json(text)}{after}" for text in (*texts, "")], pa.string())


def _taken(texts: pa.Array, numbers: np.ndarray[Any, Any]) -> pa.Array:
    """Text of each number; -1 is the last."""
    import numpy as np
    import pyarrow as pa

    return texts.take(pa.array(np.where(numbers < 0, len(texts) - 1, numbers)))
