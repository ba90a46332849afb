"""A first config for a table that nobody has described yet."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..asof import DAY
from ..config import SourceSettings, parse
from ..errors import DataError, masked
from ..tables import SPECS, Kind, TableSpec
from .address import Form, form_of, path_of
from .cells import CellReader
from .columns import listed
from .dates import DatePlan, plan
from .read import stage_source, tables_of
from .sql import connect, quoted
from .synonyms import meanings
from .text import find_encoding, find_separator, head

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from .raw import Raw

_HORIZONS = (365, 180, 90, 60, 30, 14, 7)
_MOST_TABLES = 30
_SIGNS: dict[str, tuple[tuple[str, ...], ...]] = {
    # What makes a table the one it is: any column of each group; the table with most groups full wins.
    "campaigns": (("campaign_id",), ("treated",), ("record_id",)),
    "feedback": (("score",), ("ts",), ("record_id",), ("kind", "text")),
    "subscriptions": (("started_at",), ("ended_at", "plan", "fee"), ("record_id",)),
    "transactions": (("ts",), ("amount", "unit_price"), ("record_id",), ("order_id", "product_id", "quantity")),
    "events": (("kind",), ("ts",), ("record_id",), ("session_id", "duration", "product_id")),
    "customers": (("email", "phone", "national_id"), ("name", "given_name"), ("record_id",), ("birth_date", "city")),
    "observations": (("label",), ("record_id", "outcome")),
}


@dataclass
class Guess:
    """What was found out about one table."""

    name: str
    table: str
    query: str | None
    columns: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None


def guess(uri: str) -> str:
    """A commented config for a table, from its columns' names and contents.

    Parameters
    ----------
    uri
        A file, or the address of a database, as in a source's ``uri``. A database's tables each become a source.

    Returns
    -------
    str
        YAML. What could not be found out is asked in a comment; what was, is to be looked over by a person.

    Raises
    ------
    DataError
        Where the table cannot be read, or looks like none of the canonical tables.
    """
    form = form_of(uri)
    queries: list[str | None] = [None]
    if form in (Form.SQLITE, Form.DUCKDB, Form.POSTGRES):
        queries = [*tables_of(uri)[:_MOST_TABLES]]
    found, passed = [], []
    for query in queries:
        one = _look(uri, form, query)
        if one is None:
            passed.append(query or masked(uri))
        else:
            found.append(one)
    if not found:
        raise DataError(
            f"{masked(uri)}: looks like none of the tables {', '.join(SPECS)}; expected, for a start, a column "
            f"that names the customer, one of times and one of amounts."
        )
    return _written(uri, found, passed)


def _look(uri: str, form: Form, query: str | None) -> Guess | None:
    """Read one table and guess what it is; nothing where it is none of the canonical ones."""
    own = re.sub(r"[^A-Za-z0-9._-]+", "-", query or path_of(uri).stem).strip("-._") or "source"
    with tempfile.TemporaryDirectory() as folder:
        config = parse(yaml.safe_dump({"sources": [_bare(own, uri, query)]}, allow_unicode=True), "guess", env={})
        source = config.sources[0]
        raw = stage_source(source, Path(folder) / "raw.parquet")
        with connect(config, Path(folder)) as con:
            return _Looker(con, source, raw, own, _text_form(uri, form)).look()


def _bare(name: str, uri: str, query: str | None) -> dict[str, str]:
    bare = {"name": name, "table": "observations", "uri": uri}
    return bare | ({"query": query} if query else {})


def _text_form(uri: str, form: Form) -> list[str]:
    """How a text file is written, in words."""
    if form is not Form.DELIMITED:
        return []
    encoding = find_encoding(path_of(uri))
    separator = find_separator(head(path_of(uri), encoding))
    shown = {"\t": "tabs", "whitespace": "blanks"}.get(separator, repr(separator))
    return [f"separated by {shown}, in {encoding}"]


class _Looker:
    """Looks at one staged table."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, source: SourceSettings, raw: Raw, name: str, remarks: list[str]
    ) -> None:
        self.con, self.source, self.raw, self.name, self.remarks = con, source, raw, name, remarks
        self.reader = CellReader(con, source, raw)
        self.settings: dict[str, str] = {}

    def look(self) -> Guess | None:
        """What the table is, and which column is what."""
        by_name = self._by_name()
        table = _table(set(by_name))
        if table is None:
            return None
        spec = SPECS[table]
        columns = {ours: theirs for ours, theirs in by_name.items() if spec.column(ours) is not None}
        self._by_contents(spec, columns)
        if table == "transactions" and "amount" not in columns and {"quantity", "unit_price"} <= columns.keys():
            self.remarks.append("amount is quantity * unit_price")
        query = self.source.query.replace('"', "") if self.source.query else None
        found = Guess(self.name, table, query, _in_order(spec, columns), self.settings, self.remarks)
        self._check_numbers(spec, found)
        self._check_times(spec, found)
        made = {"amount"} if {"quantity", "unit_price"} <= columns.keys() else set()
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

    def _fits(self, canonical: str, at: int) -> bool:
        """Whether half of a column's cells can be what its name says."""
        kinds = {c.name: c.kind for spec in SPECS.values() for c in spec.columns}
        if kinds[canonical] is Kind.TEXT:
            return True
        if kinds[canonical] is Kind.TIME:
            return self._share_of_times(at) >= 0.5
        if kinds[canonical] is Kind.FLAG:
            return self._share(at, "flag(t) IS NOT NULL") >= 0.5
        number = "coalesce(point_number(plain_or_bare(t)), comma_number(plain_or_bare(t))) IS NOT NULL"
        return self._share(at, number) >= 0.5

    def _by_contents(self, spec: TableSpec, columns: dict[str, str]) -> None:
        """Fill in what no name told: the only column of times, e-mail addresses, the column that numbers people."""
        free = [i for i, n in enumerate(self.raw.names) if n and n not in columns.values()]
        time = next((n for n in ("ts", "started_at") if spec.column(n)), None)
        if time is not None and time not in columns:
            times = [at for at in free if self._share_of_times(at) >= 0.95]
            if len(times) == 1:
                columns[time] = self.raw.names[times[0]]
                self.remarks.append(f"{columns[time]} is the only column of times")
        if spec.name != "customers":
            return
        if "email" not in columns:
            mails = [at for at in free if self._share(at, "regexp_full_match(t, '\\S+@\\S+\\.\\S+')") >= 0.5]
            if mails:
                columns["email"] = self.raw.names[mails[0]]
        if "record_id" not in columns:
            keys = [at for at in free if self.raw.names[at] not in columns.values() and self._is_key(at)]
            if keys:
                columns["record_id"] = self.raw.names[keys[0]]
                self.remarks.append(f"{columns['record_id']} is different in every row")

    def _is_key(self, at: int) -> bool:
        """Whether a column is filled and different in every row."""
        text = self.reader.text(at)
        row = self.con.execute(
            f"SELECT count(*), count({text}), count(DISTINCT {text}) FROM {self.reader.staged}"
        ).fetchone()
        return row is not None and row[0] == row[1] == row[2] > 1

    def _share(self, at: int, condition: str) -> float:
        row = self.con.execute(
            f"SELECT count(*) FILTER ({condition}), count(*) FROM (SELECT {self.reader.text(at)} AS t "
            f"FROM {self.reader.staged} LIMIT 5000) WHERE t IS NOT NULL"
        ).fetchone()
        return row[0] / row[1] if row and row[1] else 0.0

    def _share_of_times(self, at: int) -> float:
        kind = str(self.raw.types[at])
        if kind.startswith(("timestamp", "date")):
            return 1.0
        if kind in ("double", "float", "bool"):
            return 0.0
        written = self._plan(at)
        if written is None:
            return 1.0
        formats = "[" + ", ".join(quoted(f) for f in written.formats) + "]"
        zoneless = "regexp_replace(t, '(:\\d{2}(?:\\.\\d+)?) ?(?:[Zz]|[+-]\\d{2}:?\\d{2})$', '\\1')"
        return self._share(at, f"sensible(CAST(try_strptime({zoneless}, {formats}) AS TIMESTAMP))")

    def _plan(self, at: int) -> DatePlan | None:
        """How a column writes its times; nothing where the values do not decide."""
        try:
            return plan(self.con, self.source, self.raw.names[at], self.reader.text(at), self.reader.staged)
        except DataError:
            return None

    def _check_numbers(self, spec: TableSpec, found: Guess) -> None:
        """Whether the numbers have a decimal comma."""
        for ours, theirs in found.columns.items():
            column, at = spec.column(ours), self.raw.names.index(theirs)
            if column is None or column.kind is not Kind.FIXED or not self.raw.is_text(at):
                continue
            comma = self._share(
                at, "point_number(plain_or_bare(t)) IS NULL AND comma_number(plain_or_bare(t)) IS NOT NULL"
            )
            if comma > self._share(at, "regexp_matches(t, '\\.\\d{1,2}$')") and comma > 0.1:
                found.settings["decimal"] = ","

    def _check_times(self, spec: TableSpec, found: Guess) -> None:
        """How the times are written, and the span that they cover."""
        for ours, theirs in found.columns.items():
            column, at = spec.column(ours), self.raw.names.index(theirs)
            if column is None or column.kind is not Kind.TIME:
                continue
            if self.raw.is_text(at) and self._plan(at) is None:
                found.settings["date_format"] = "?"
                found.remarks.append(f"nothing in {theirs} says whether the day or the month comes first")
            elif ours == spec.time:
                cell = self.reader.cell(column, at)
                row = self.con.execute(
                    f"SELECT min(p), max(p) FROM (SELECT {cell.parsed} AS p FROM (SELECT {cell.text} AS t_{ours} "
                    f"FROM {self.reader.staged})) WHERE sensible(p)"
                ).fetchone()
                found.first, found.last = row or (None, None)
                found.remarks += self.reader.notes


def _table(there: set[str]) -> str | None:
    """The canonical table that the meanings of the columns speak for."""
    scores = {
        table: sum(bool(there & set(group)) for group in groups) / len(groups) for table, groups in _SIGNS.items()
    }
    first = {table: bool(there & set(groups[0])) for table, groups in _SIGNS.items()}
    table = max(scores, key=lambda t: (first[t] and scores[t] > 0.5, scores[t]))
    return table if scores[table] >= 0.5 else None


def _in_order(spec: TableSpec, columns: dict[str, str]) -> dict[str, str]:
    return {c.name: columns[c.name] for c in spec.columns if c.name in columns}


def _horizon(found: Sequence[Guess]) -> tuple[timedelta, str]:
    """A third of the history at most, so that there are labelled horizons to learn from."""
    spans = [(g.last - g.first, g) for g in found if g.first is not None and g.last is not None]
    if not spans:
        return timedelta(days=90), "how far to look ahead"
    span, widest = max(spans, key=lambda item: item[0])
    days = next((d for d in _HORIZONS if d * 3 <= span.days), _HORIZONS[-1])
    first, last = widest.first, widest.last
    return timedelta(days=days), f"how far to look ahead; the times go from {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _written(uri: str, found: Sequence[Guess], passed: Sequence[str]) -> str:
    """The config's text."""
    shown, name = _address(uri)
    horizon, why = _horizon(found)
    last = max((g.last for g in found if g.last is not None), default=None)
    lines = [
        "# A first config, guessed from the table's columns. Look it over: what is wrong here is wrong in every score.",
        f"name: {name}",
        f"workspace: data/{name}",
    ]
    if last is None:
        lines.append(f"as_of: {datetime.now(UTC).date()}   # needed, as no column of times was found")
    else:
        day = (last + DAY).date()
        lines.append(f"# as_of: {day}   # no row at or after it is used; without one: the day after the newest row")
    lines += [f"horizon: {horizon.days}d   # {why}", "sources:"]
    for one in found:
        lines += _source_lines(one, shown)
    if passed:
        lines.append(f"# Not used, as they look like none of the tables: {listed(list(passed))}")
    if not any(g.table in ("transactions", "subscriptions", "observations") for g in found):
        lines.append("# To predict, a source for transactions, subscriptions or observations is needed as well.")
    return "\n".join(lines) + "\n"


def _address(uri: str) -> tuple[str, str]:
    """The address as the config has it (no password is written down), and a name for the run."""
    if form_of(uri) is not Form.POSTGRES:
        return uri, re.sub(r"[^A-Za-z0-9._-]+", "-", path_of(uri).stem).strip("-._") or "custid"
    return "${DATABASE_URL}", "database"


def _source_lines(one: Guess, uri: str) -> list[str]:
    lines = [f"  # {remark}" for remark in one.remarks]
    if uri.startswith("${"):
        lines.append("  # set the environment variable DATABASE_URL to the address")
    lines += [f"  - name: {_scalar(one.name)}", f"    table: {one.table}", f"    uri: {_scalar(uri)}"]
    if one.query:
        lines.append(f"    query: {_scalar(one.query)}")
    for key, value in one.settings.items():
        if value == "?":
            lines.append('    # date_format: "%d/%m/%Y"   # or "%m/%d/%Y", with the time of day if there is one')
        else:
            lines.append(f"    {key}: {_scalar(value)}")
    lines.append("    columns:   # canonical: theirs" if one.columns else "    columns: {}")
    spec = SPECS[one.table]
    for ours, theirs in one.columns.items():
        column = spec.column(ours)
        lines.append(f"      {ours}: {_scalar(theirs)}   # {column.about if column else ''}")
    for ours in one.missing:
        column = spec.column(ours)
        about = column.about if column else ""
        lines.append(f"      # {ours}: ?   # needed, and not found: {about}; one of {listed(one.others)}")
    if one.others:
        lines.append(f"    # further columns: {listed(one.others)}")
    return lines


def _scalar(value: Any) -> str:
    """A value as YAML writes it on one line."""
    return yaml.safe_dump(value, allow_unicode=True, width=1_000_000).removesuffix("\n...\n").strip()
