"""Which of a source's columns fills which canonical column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DataError, masked, nearest
from ..tables import SPECS, TableSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config import SourceSettings


@dataclass(frozen=True)
class Layout:
    """A source's columns by their place: the canonical ones, and what an open-ended table keeps besides."""

    spec: TableSpec
    canonical: Mapping[str, int]
    extras: tuple[tuple[str, int], ...]


def layout(source: SourceSettings, names: Sequence[str]) -> Layout:
    """Map a source's column names onto its canonical table.

    Raises
    ------
    DataError
        Where a column that the config names is not there, is there twice, or a required one is not found.
    """
    spec = SPECS[source.table]
    wanted = dict(source.columns)
    if spec.name == "transactions" and "customer_id" in wanted:
        wanted.setdefault("record_id", wanted.pop("customer_id"))
    found = {ours: _place(source, f"columns.{ours}", theirs, names) for ours, theirs in wanted.items()}
    ignored = {_place(source, "ignore", theirs, names) for theirs in source.ignore}
    for ours, at in found.items():
        if at in ignored:
            raise DataError(
                f"{masked(source.uri)}: the column {names[at]!r} is both sources.{source.name}.columns.{ours} and in "
                f"sources.{source.name}.ignore; expected one of them."
            )
    unmapped = [c.name for c in spec.columns if c.name not in found and names.count(c.name) == 1]
    own = [name for name in unmapped if names.index(name) not in ignored]
    found.update({name: names.index(name) for name in own})
    if spec.name == "transactions" and "record_id" not in found and names.count("customer_id") == 1:
        found["record_id"] = names.index("customer_id")
    _require(source, spec, found, names, spare=len(set(names)) > len(set(found.values())))
    known = {c.name for c in spec.columns}
    canonical = {name: at for name, at in found.items() if name in known}
    extras = _extras(spec, found, canonical, names) if spec.open_ended else ()
    return Layout(spec, canonical, tuple((label, at) for label, at in extras if at not in ignored))


def _place(source: SourceSettings, where: str, theirs: str, names: Sequence[str]) -> int:
    where = f"sources.{source.name}.{where}"
    count = names.count(theirs)
    if count == 1:
        return names.index(theirs)
    if count > 1:
        raise DataError(f"{masked(source.uri)}: has {count} columns called {theirs!r} ({where}); expected one.")
    raise DataError(
        f"{masked(source.uri)}: has no column {theirs!r} ({where}); it has {listed(names)}.{nearest(theirs, names)}"
    )


def _require(
    source: SourceSettings, spec: TableSpec, found: Mapping[str, int], names: Sequence[str], *, spare: bool
) -> None:
    """Refuse a table without what it needs; without any column that could be money, its rows are counted instead."""
    missing = [name for name in spec.required if name not in found]
    made = {"quantity", "unit_price"} <= found.keys() or not spare or source.amounts == "counted"
    if "amount" in missing and spec.name == "transactions" and made:
        missing.remove("amount")
    if not missing:
        return
    hint = ""
    if spec.name == "transactions" and "amount" in missing:
        hint = f" (or quantity and unit_price, or sources.{source.name}.amounts: counted where there is no money)"
    raise DataError(
        f"{masked(source.uri)}: has no column for {', '.join(missing)}{hint} of the table {spec.name}; it has "
        f"{listed(names)}. Map yours in sources.{source.name}.columns.{nearest(missing[0], names)}"
    )


def _extras(
    spec: TableSpec, found: Mapping[str, int], canonical: Mapping[str, int], names: Sequence[str]
) -> tuple[tuple[str, int], ...]:
    """The further attributes, under names that collide with nothing (DuckDB's names ignore case)."""
    taken = {"source", "row", "customer_id", *(c.name for c in spec.columns)}
    used = set(canonical.values())
    further = {at: name for name, at in found.items() if name not in canonical}
    extras: list[tuple[str, int]] = []
    for at, theirs in enumerate(names):
        if at in used or not (theirs or at in further):
            continue
        name = further.get(at, theirs)
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        extras.append((name, at))
    return tuple(extras)


def listed(names: Sequence[str], most: int = 30) -> str:
    """Column names as a message shows them.

    >>> listed(["a", "b"])
    'a, b'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name or "(no name)" for name in names[:most]) + more


def counted(number: int, noun: str = "row") -> str:
    """A number of things as a message says it.

    >>> counted(1), counted(1200)
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
