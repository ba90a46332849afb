"""How one column of a source is read, as SQL in steps: its text, its number, its value, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from ..errors import DataError, masked, nearest
from ..tables import SCALE, Column, Kind
from .columns import counted
from .sql import CODES, MOST, SIGNS, quoted
from .times import parsed
from .voters import cell_text, is_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from ..config import SourceSettings
    from .raw import Raw
    from .voters import Voters

_STRICT = ("ingested_at", "valid_from", "registered_at", "ended_at")
_IDS = ("record_id", "order_id")
_AMOUNTS = ("amount", "quantity", "unit_price")
_SIGN = f"(?i)[{SIGNS}]|{CODES}|元"


@dataclass(frozen=True)
class Cell:
    """One canonical column of one source, as SQL in steps, each in terms of the one before.

    ``text`` is the tidy cell (``t_*``), ``bare`` a number's text without its ornaments (``b_*``), ``number`` the same
    as casts read it (``n_*``), ``exact`` its decimal where it is long (``d_*``), ``parsed`` the typed value (``p_*``),
    and ``trouble`` the code of what is wrong or NULL (``e_*``). A cell that ``decides`` has its row refused by a
    trouble.
    """

    name: str
    text: str
    parsed: str
    trouble: str
    decides: bool
    bare: str = ""
    number: str = ""
    exact: str = ""


@dataclass
class CellReader:
    """Finds out how the columns of one staged source are to be read, from the rows that have a say.

    Keeps sentences about it in ``notes``, and how each column of times is written in ``written``.
    """

    con: duckdb.DuckDBPyConnection
    source: SourceSettings
    raw: Raw
    voters: Voters
    notes: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)

    def cell(self, column: Column, at: int) -> Cell:
        """How the source's column ``at`` is read as a canonical column."""
        n = column.name
        text = f"id_text({self.text(at)})" if n in _IDS else self.text(at)
        wanted = column.required or n in _AMOUNTS
        missing = f"CASE WHEN t_{n} IS NULL THEN {quoted('missing') if wanted else 'NULL'} "
        decides = column.required or n in _STRICT
        if column.kind is Kind.TEXT:
            return Cell(n, text, f"t_{n}", missing + "END", decides)
        if column.kind is Kind.FLAG:
            value = self._listed(n, at, self.source.values[n]) if n in self.source.values else f"flag(t_{n})"
            return Cell(n, text, value, f"{missing}WHEN p_{n} IS NULL THEN 'unreadable' END", decides)
        if column.kind is Kind.TIME:
            trouble = f"WHEN p_{n} IS NULL THEN 'unreadable' WHEN NOT sensible(p_{n}) THEN 'out_of_range' END"
            value = self._time(n, at)
            return Cell(n, f"c{at}" if is_time(self.raw.types[at]) else text, value, missing + trouble, decides)
        return self._numeric(column, at, text, missing, decides)

    def text(self, at: int) -> str:
        """A cell as tidy text."""
        return cell_text(self.raw, at)

    def attribute_kind(self, at: int) -> Kind:
        """What a further attribute is kept as: numbers, yes and no, or text; a code with leading zeros is text."""
        kind = self.raw.types[at]
        if pa.types.is_boolean(kind):
            return Kind.FLAG
        if not self.raw.is_text(at):
            numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
            return Kind.NUMBER if numeric else Kind.TEXT
        row = self.con.execute(
            f"SELECT count(t), count(*) FILTER (t IS NOT NULL AND "
            f"(point_number(plain_or_bare(t)) IS NULL OR regexp_matches(t, '^0\\d'))), "
            f"count(*) FILTER (t IS NOT NULL AND flag(t) IS NULL) "
            f"FROM (SELECT {self.text(at)} AS t FROM {self.voters.rows})"
        ).fetchone()
        known, no_number, no_flag = row or (0, 0, 0)
        if not known or (no_number and no_flag):
            return Kind.TEXT
        return Kind.FLAG if no_number else Kind.NUMBER

    def attribute(self, at: int, kind: Kind) -> str:
        """A further attribute as it is kept."""
        text = self.text(at)
        if kind is Kind.NUMBER:
            return f"try_cast(point_number(plain_or_bare({text})) AS DOUBLE)"
        return f"flag({text})" if kind is Kind.FLAG else text

    def _numeric(self, column: Column, at: int, text: str, missing: str, decides: bool) -> Cell:
        n, bare, number = column.name, "", f"t_{column.name}"
        if self.raw.is_text(at):
            self._check_decimal(at, text)
            missing += self._foreign(column.name, at, text)
            comma = self.source.decimal == "," and at not in self.raw.numeric
            bare = f"{'bare_number' if comma else 'plain_or_bare'}(t_{n})"
            number = f"{'comma' if comma else 'point'}_number(b_{n})"
        unread = (
            f"CASE WHEN infinite(t_{n}) THEN 'not_finite' WHEN n_{n} IS NULL THEN 'unreadable' ELSE 'too_large' END"
        )
        if column.kind is Kind.FIXED:
            trouble = f"WHEN p_{n} IS NULL THEN {unread} WHEN abs(p_{n}) > {MOST * SCALE} THEN 'too_large' END"
            value, exact = f"fixed(n_{n}, d_{n})", f"exact(n_{n})"
            return Cell(n, text, value, missing + trouble, decides, bare, number, exact)
        bounds = f"WHEN p_{n} NOT BETWEEN 0 AND 1 THEN 'out_of_range' " if n == "score" else ""
        trouble = f"WHEN p_{n} IS NULL THEN {unread} WHEN NOT isfinite(p_{n}) THEN 'not_finite' {bounds}END"
        return Cell(n, text, f"try_cast(n_{n} AS DOUBLE)", missing + trouble, decides, bare, number)

    def _check_decimal(self, at: int, text: str) -> None:
        """Stop where the numbers plainly have the other decimal mark: some would be misread in silence."""
        if at in self.raw.numeric:
            return
        mark, ours, other = (",", "point", "comma") if self.source.decimal == "." else (".", "comma", "point")
        row = self.con.execute(
            f"SELECT count(*), count(*) FILTER (a IS NOT NULL AND b IS NULL), "
            f"count(*) FILTER (a IS NULL AND b IS NOT NULL), min(t) FILTER (a IS NULL AND b IS NOT NULL) "
            f"FROM (SELECT t, {ours}_number(s) AS a, {other}_number(s) AS b FROM "
            f"(SELECT t, plain_or_bare(t) AS s FROM (SELECT {text} AS t FROM {self.voters.rows})))"
        ).fetchone()
        rows, only_ours, only_other, example = row or (0, 0, 0, None)
        if only_other > only_ours and only_other * 10 > rows:
            raise DataError(
                f"{self.source.name}: {counted(only_other, 'value')} of the column {self.raw.names[at]!r}, such as "
                f"{example!r}, with the decimal mark {mark!r}; expected {self.source.decimal!r}. "
                f"Set sources.{self.source.name}.decimal to '{mark}'."
            )

    def _foreign(self, canonical: str, at: int, text: str) -> str:
        """Stop where the amounts themselves name several currencies; the trouble of later rows that name another."""
        if canonical not in ("amount", "unit_price"):
            return ""
        found = self._signs(text, self.voters.rows)
        if len(found) > 1:
            told = ", ".join(f"{sign} ({counted(count)})" for sign, count in found.items())
            raise DataError(
                f"{self.source.name}: the column {self.raw.names[at]!r} has amounts in several currencies: {told}; "
                f"expected one, or plain numbers beside a column mapped to currency."
            )
        every = self._signs(text, self.voters.staged) if self.voters.rows != self.voters.staged else found
        others = [sign for sign in every if sign not in found] if found or len(every) > 1 else []
        if not others:
            return ""
        listed = ", ".join(quoted(sign) for sign in others)
        sign = f"upper(regexp_extract(t_{canonical}, {quoted(_SIGN)}))"
        return f"WHEN {sign} IN ({listed}) THEN 'in_another_currency' "

    def _signs(self, text: str, rows: str) -> dict[str, int]:
        """The currencies that amounts name, with the number of rows of each, most frequent first."""
        return dict(
            self.con.execute(
                f"SELECT sign, count(*) FROM (SELECT upper(regexp_extract({text}, {quoted(_SIGN)})) AS sign "
                f"FROM {rows}) WHERE sign <> '' GROUP BY 1 ORDER BY 2 DESC, 1"
            ).fetchall()
        )

    def _time(self, canonical: str, at: int) -> str:
        """A cell as a UTC timestamp."""
        if is_time(self.raw.types[at]):
            return self.voters.typed(canonical, at, f"t_{canonical}")
        found = self.voters.plan(canonical, at)
        self.notes.append(f"{self.raw.names[at]} is read as {found.about}")
        self.written[canonical] = found.about
        return parsed(f"t_{canonical}", found, self.voters.zone(canonical))

    def _listed(self, canonical: str, at: int, meanings: Mapping[str, bool]) -> str:
        """Yes or no by the values that the config lists; any other is unknown, and a note says how many are."""
        found: dict[str, int] = dict(
            self.con.execute(
                f"SELECT v, count(*) FROM (SELECT {self.text(at)} AS v FROM {self.voters.rows}) WHERE v IS NOT NULL "
                "GROUP BY 1 ORDER BY 2 DESC, 1"
            ).fetchall()
        )
        others = [text for text in found if text not in meanings]
        where = f"sources.{self.source.name}.values.{canonical}"
        if meanings and others and len(others) == len(found):
            raise DataError(
                f"{masked(self.source.uri)}: the column {self.raw.names[at]!r} holds none of the values of {where}, "
                f"but {', '.join(map(repr, others[:5]))}.{nearest(next(iter(meanings)), others)}"
            )
        if others:
            unknown = counted(sum(found[text] for text in others))
            self.notes.append(
                f"{unknown} with a {canonical} that {where} does not list, such as {others[0]!r}: unknown"
            )
        cases = " ".join(f"WHEN {quoted(text)} THEN {meaning}" for text, meaning in meanings.items())
        return f"CASE t_{canonical} {cases} END" if cases else "NULL::BOOLEAN"
