"""What one table is, and which of its columns is what: by their names first, then by what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import DataError
from ..tables import SPECS, Kind, TableSpec
from .cells import CellReader
from .synonyms import likeness, meanings
from .times import DatePlan, parsed
from .voters import Voters, is_time

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import duckdb

    from ..config import SourceSettings
    from .raw import Raw

_SIGNS: dict[str, tuple[tuple[str, ...], ...]] = {
    # What makes a table the one it is: any column of each group; the table with most groups full wins.
    "transactions": (("ts",), ("amount", "unit_price"), ("record_id",), ("order_id", "product_id", "quantity")),
    "campaigns": (("campaign_id",), ("treated",), ("record_id",)),
    "feedback": (("score",), ("ts",), ("record_id",), ("kind", "text")),
    "subscriptions": (("started_at",), ("ended_at", "plan", "fee"), ("record_id",)),
    "events": (("kind",), ("ts",), ("record_id",), ("session_id", "duration", "product_id")),
    "customers": (("email", "phone", "national_id"), ("name", "given_name"), ("record_id",), ("birth_date", "city")),
    "observations": (("label",), ("record_id", "outcome")),
}
_KINDS = {c.name: c.kind for spec in SPECS.values() for c in spec.columns}
_NUMBER = "coalesce(point_number(plain_or_bare(t)), comma_number(plain_or_bare(t))) IS NOT NULL"
_FRACTION = "regexp_matches(t, '[.,]\\d{1,2}\\D*$')"
_MOSTLY = 0.95


@dataclass
class Guess:
    """What was found out about one table; ``sure`` where its columns plainly say which one it is."""

    name: str
    table: str
    query: str | None
    sure: bool = False
    columns: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None


class Looker:
    """Looks at one staged table."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, name: str, remarks: list[str]
    ) -> None:
        self.con, self.source, self.raw = con, source, raw
        self.voters = Voters(con, source, raw, {}, None)
        self.reader = CellReader(con, source, raw, self.voters)
        query = source.query.replace('"', "") if source.query else None
        self.found = Guess(name, "transactions", query, remarks=remarks)
        self._plans: dict[int, DatePlan | None] = {}
        self._shares: dict[tuple[int, str], float] = {}

    def look(self) -> Guess:
        """What the table is, and which column is what."""
        found = self.found
        by_name = self._by_name()
        kin = self._by_likeness(by_name)
        found.table, found.sure = _table({*by_name, *kin})
        spec = SPECS[found.table]
        columns = {ours: theirs for ours, theirs in by_name.items() if spec.column(ours) is not None}
        for ours, theirs in kin.items():
            if spec.column(ours) is not None and theirs not in columns.values():
                columns[ours] = theirs
                found.unsure.append(ours)
        self._by_contents(spec, columns)
        made = {"amount"} if {"quantity", "unit_price"} <= columns.keys() else set()
        if found.table == "transactions" and "amount" not in columns and made:
            found.remarks.append("amount is quantity * unit_price")
        found.sure = found.sure or all(c in columns or c in made for c in spec.required if spec.required)
        if columns and not found.sure:
            found.remarks.append(f"check: it is not sure that these are {found.table}")
        found.columns = {c.name: columns[c.name] for c in spec.columns if c.name in columns}
        self._check_numbers(spec)
        self._check_times(spec)
        found.missing = [c for c in spec.required if c not in columns and c not in made]
        found.others = [n for n in self.raw.names if n and n not in columns.values()]
        return found

    def _by_name(self) -> dict[str, str]:
        """The best column for each meaning that a name can have, unless its contents cannot be that."""
        best: dict[str, tuple[int, int]] = {}
        for at, theirs in enumerate(self.raw.names):
            for canonical, rank in meanings(theirs) if self.raw.names.count(theirs) == 1 else []:
                if self._fits(canonical, at):
                    best[canonical] = min(best.get(canonical, (rank, at)), (rank, at))
        return {canonical: self.raw.names[at] for canonical, (_, at) in best.items()}

    def _by_likeness(self, by_name: dict[str, str]) -> dict[str, str]:
        """For meanings that no name has: the first free column with a word of that kind, and contents that fit."""
        kin: dict[str, str] = {}
        for at, theirs in enumerate(self.raw.names):
            if theirs in by_name.values() or self.raw.names.count(theirs) > 1:
                continue
            wanted = [c for c in likeness(theirs) if c not in by_name and c not in kin and self._is(c, at)]
            told = sorted(wanted, key=lambda c: _KINDS[c] is Kind.TEXT)
            if told:
                kin[told[0]] = theirs
        return kin

    def _is(self, canonical: str, at: int) -> bool:
        """Whether nearly all cells of a column can be what a word of its name hints at."""
        if _KINDS[canonical] is Kind.TEXT:
            return not self._is_time(at) and self._share(at, _FRACTION) < 0.5
        return self._is_time(at) if _KINDS[canonical] is Kind.TIME else self._is_number(at)

    def _fits(self, canonical: str, at: int) -> bool:
        """Whether half of a column's cells can be what its name says."""
        kind = _KINDS[canonical]
        if kind is Kind.TEXT:
            return True
        if kind is Kind.TIME:
            return self._share_of_times(at) >= 0.5
        return self._share(at, "flag(t) IS NOT NULL" if kind is Kind.FLAG else _NUMBER) >= 0.5

    def _by_contents(self, spec: TableSpec, columns: dict[str, str]) -> None:
        """Fill in what no name told: times, amounts, what numbers people."""
        time = next((n for n in ("ts", "started_at") if spec.column(n)), None)
        times = [at for at in self._free(columns) if time is not None and self._is_time(at)]
        if time is not None and time not in columns and times:
            self._take(columns, time, times[0], "the only column of times" if len(times) == 1 else "a column of times")
        if spec.name == "transactions" and time in columns:
            self._amount_by_contents(columns)
            self._customer_by_contents(columns)
        if spec.name != "customers":
            return
        mails = [at for at in self._free(columns) if self._share(at, "regexp_full_match(t, '\\S+@\\S+\\.\\S+')") >= 0.5]
        if "email" not in columns and mails:
            columns["email"] = self.raw.names[mails[0]]
        keys = [at for at in self._free(columns) if self._distinct(at) == 1.0]
        if "record_id" not in columns and keys:
            self._take(columns, "record_id", keys[0], "different in every row")

    def _amount_by_contents(self, columns: dict[str, str]) -> None:
        """The column of numbers that looks most like money: with decimals, or the last one that repeats little."""
        if columns.keys() & {"amount", "unit_price"}:
            return
        numbers = [at for at in self._free(columns) if self._is_number(at) and not self._is_time(at)]
        if len(numbers) > 1 or "record_id" in columns or len(self._free(columns)) > len(numbers):
            numbers.sort(key=lambda at: (self._share(at, _FRACTION), at))
            if numbers:
                self._take(columns, "amount", numbers[-1], "a column of numbers")

    def _customer_by_contents(self, columns: dict[str, str]) -> None:
        """The column whose values repeat, yet are many: customers come back."""
        if "record_id" in columns:
            return
        ids = {at: self._distinct(at) for at in self._free(columns) if self._share(at, _FRACTION) < 0.5}
        coming = {at: share for at, share in ids.items() if 0 < share < 1 and not self._is_time(at)}
        if coming:
            most = max(coming, key=lambda at: (coming[at], -at))
            self._take(columns, "record_id", most, "a column of values that come back")

    def _take(self, columns: dict[str, str], canonical: str, at: int, why: str) -> None:
        columns[canonical] = self.raw.names[at]
        self.found.unsure.append(canonical)
        self.found.remarks.append(f"{columns[canonical]} is {why}")

    def _free(self, columns: dict[str, str]) -> list[int]:
        taken: Collection[str] = columns.values()
        return [i for i, n in enumerate(self.raw.names) if n and n not in taken and self.raw.names.count(n) == 1]

    def _distinct(self, at: int) -> float:
        """The share of different values; 0 where cells are empty or all are the same."""
        text = self.reader.text(at)
        row = self.con.execute(
            f"SELECT count(*), count({text}), count(DISTINCT {text}) FROM {self.voters.staged}"
        ).fetchone()
        rows, filled, different = row or (0, 0, 0)
        return different / rows if rows == filled and different > 1 else 0.0

    def _share(self, at: int, condition: str) -> float:
        if (at, condition) not in self._shares:
            row = self.con.execute(
                f"SELECT count(*) FILTER ({condition}), count(*) FROM (SELECT {self.reader.text(at)} AS t "
                f"FROM {self.voters.staged} LIMIT 5000) WHERE t IS NOT NULL"
            ).fetchone()
            self._shares[at, condition] = row[0] / row[1] if row and row[1] else 0.0
        return self._shares[at, condition]

    def _is_number(self, at: int) -> bool:
        return self._share(at, _NUMBER) >= _MOSTLY

    def _is_time(self, at: int) -> bool:
        return self._share_of_times(at) >= _MOSTLY

    def _share_of_times(self, at: int) -> float:
        if is_time(self.raw.types[at]):
            return 1.0
        if str(self.raw.types[at]) in ("double", "float", "bool"):
            return 0.0
        written = self._plan(at)
        return 1.0 if written is None else self._share(at, f"sensible({parsed('t', written, 'UTC')})")

    def _plan(self, at: int) -> DatePlan | None:
        """How a column writes its times; nothing where the values do not decide."""
        if at not in self._plans:
            try:
                self._plans[at] = self.voters.plan("", at)
            except DataError:
                self._plans[at] = None
        return self._plans[at]

    def _check_numbers(self, spec: TableSpec) -> None:
        """Whether the numbers have a decimal comma."""
        for ours, theirs in self.found.columns.items():
            column, at = spec.column(ours), self.raw.names.index(theirs)
            if column is None or column.kind is not Kind.FIXED or not self.raw.is_text(at):
                continue
            comma = self._share(
                at, "point_number(plain_or_bare(t)) IS NULL AND comma_number(plain_or_bare(t)) IS NOT NULL"
            )
            if comma > self._share(at, "regexp_matches(t, '\\.\\d{1,2}$')") and comma > 0.1:
                self.found.settings["decimal"] = ","

    def _check_times(self, spec: TableSpec) -> None:
        """How the times are written, and the span that they cover."""
        found = self.found
        for ours, theirs in found.columns.items():
            column, at = spec.column(ours), self.raw.names.index(theirs)
            if column is None or column.kind is not Kind.TIME:
                continue
            if not is_time(self.raw.types[at]) and self._plan(at) is None:
                found.settings["date_format"] = "?"
                found.remarks.append(f"nothing in {theirs} says whether the day or the month comes first")
            elif ours == spec.time:
                cell = self.reader.cell(column, at)
                row = self.con.execute(
                    f"SELECT min(p), max(p) FROM (SELECT {cell.parsed} AS p FROM (SELECT {cell.text} AS t_{ours} "
                    f"FROM {self.voters.staged})) WHERE sensible(p)"
                ).fetchone()
                found.first, found.last = row or (None, None)
                found.remarks += self.reader.notes


def _table(there: set[str]) -> tuple[str, bool]:
    """The canonical table that the meanings of the columns speak for, in doubt transactions, and whether it is sure."""
    scores = {
        table: sum(bool(there & set(group)) for group in groups) / len(groups) for table, groups in _SIGNS.items()
    }
    first = {table: bool(there & set(groups[0])) for table, groups in _SIGNS.items()}
    table = max(scores, key=lambda t: (first[t] and scores[t] > 0.5, scores[t]))
    return table, scores[table] >= 0.5
