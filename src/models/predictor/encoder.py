"""From a table of features to a matrix of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

KEYS = ("customer_id", "as_of")
_FREQUENT = 0.02
_MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Encoder:
    """Which features go into the matrix: numbers as they are, categories as one column for each frequent level.

    Attributes:
        numbers: features that are numbers; what is unknown becomes NaN.
        levels: for each category, the levels that have a column of their own.
    """

    numbers: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, tables: Sequence[pa.Table]) -> Encoder:
        """The columns that tell customers of one snapshot apart in at least one of the ``tables``.

        What is the same for everyone on a day (the season, say) tells days apart, not customers, and is left out.
        """
        import pyarrow as pa

        numbers, levels = [], {}
        for field in tables[-1].schema:
            if field.name in KEYS:
                continue
            columns = [table.column(field.name) for table in tables]
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                found = _frequent(columns)
                if found:
                    levels[field.name] = found
            elif any(_varies(column) for column in columns):
                numbers.append(field.name)
        return cls(tuple(numbers), levels)

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that are read, in order."""
        return (*self.numbers, *self.levels)

    @property
    def owners(self) -> NDArray[np.intp]:
        """For each column of the matrix, the position in :attr:`columns` of the feature it comes from."""
        counts = [1] * len(self.numbers) + [len(levels) for levels in self.levels.values()]
        return np.repeat(np.arange(len(counts)), counts)

    def matrix(self, table: pa.Table) -> FloatArray:
        """The rows of ``table`` as float64, shape (n, k); extra columns are ignored.

        Raises InputError where a feature is missing or holds something else than it should.
        """
        there = set(table.column_names)
        missing = [name for name in self.columns if name not in there]
        if missing:
            raise InputError(f"features: {', '.join(missing)} missing; expected all of {', '.join(self.columns)}.")
        parts = [_number(table.column(name), name) for name in self.numbers]
        for name, levels in self.levels.items():
            values = np.array(table.column(name).to_pylist(), dtype=object)
            parts.extend((values == level).astype(np.float64) for level in levels)
        return np.ascontiguousarray(np.stack(parts, axis=1)) if parts else np.empty((table.num_rows, 0))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"numbers": list(self.numbers), "levels": {k: list(v) for k, v in self.levels.items()}}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Encoder:
        """The encoder that :meth:`to_dict` described."""
        return cls(tuple(saved["numbers"]), {k: tuple(v) for k, v in saved["levels"].items()})


def numbers(table: pa.Table, name: str, default: float) -> FloatArray:
    """One column as float64, ``default`` where a value is unknown.

    >>> import pyarrow as pa
    >>> numbers(pa.table({"x": [1, None]}), "x", 0.0).tolist()
    [1.0, 0.0]
    """
    if name not in table.column_names:
        raise InputError(f"features: {name} missing; expected a column of that name.")
    values = _number(table.column(name), name)
    return np.where(np.isnan(values), default, values)


def day_numbers(table: pa.Table) -> FloatArray:
    """The rows' days of looking (``as_of``), in days since 1970; NaN where there is no such column.

    >>> import pyarrow as pa
    >>> from datetime import date
    >>> day_numbers(pa.table({"as_of": [date(1970, 1, 11)]})).tolist()
    [10.0]
    """
    import pyarrow as pa

    if "as_of" not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table.column("as_of").cast(pa.date32()).cast(pa.int32()).to_numpy(), dtype=np.float64)


def _number(column: pa.ChunkedArray, name: str) -> FloatArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type == pa.float64():  # as the endpoint sends them, one row at a time: unknown ones become NaN
        doubles = np.asarray(column.to_numpy(), dtype=np.float64)
        return np.where(np.isfinite(doubles), doubles, np.nan)
    try:
        floats = pc.cast(column, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(f"features: {name} is of type {column.type}; expected numbers.") from None
    values = np.asarray(pc.fill_null(floats, float("nan")).to_numpy(), dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _varies(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    span = pc.min_max(column)
    low, high = span["min"].as_py(), span["max"].as_py()
    return low != high or (column.null_count not in {0, len(column)})


def _frequent(columns: Sequence[pa.ChunkedArray]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for column in columns:
        for entry in column.value_counts().to_pylist():
            if entry["values"] is not None:
                counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
    rows = sum(len(column) for column in columns)
    often = [level for level, count in counts.items() if _FREQUENT * rows <= count < rows]
    return tuple(sorted(often, key=lambda level: (-counts[level], level))[:_MOST_LEVELS])
