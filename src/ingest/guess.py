"""A first config for a table that nobody has described yet."""

from __future__ import annotations

import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..asof import DAY
from ..config import parse
from ..errors import DataError, masked
from ..tables import SPECS
from .address import Form, form_of, path_of
from .columns import listed
from .look import Guess, Looker
from .read import stage_source, tables_of
from .sql import connect
from .text import find_encoding, find_separator, head

if TYPE_CHECKING:
    from collections.abc import Sequence

_HORIZONS = (365, 180, 90, 60, 30, 14, 7)
_MOST_TABLES = 30


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
        Where the table cannot be read, or has no column that could be of use.
    """
    form = form_of(uri)
    queries: list[str | None] = [None]
    if form in (Form.SQLITE, Form.DUCKDB, Form.POSTGRES):
        queries = [*tables_of(uri)[:_MOST_TABLES]]
    seen = [_look(uri, form, query) for query in queries]
    found = [one for one in seen if one.sure] or [one for one in seen if one.columns]
    if not found:
        columns = "; ".join(f"{one.query or 'it'} has {listed(one.others)}" for one in seen)
        raise DataError(
            f"{masked(uri)}: looks like none of the tables {', '.join(SPECS)}; expected, for a start, a column "
            f"that names the customer, one of times and one of amounts. {columns[:1].upper()}{columns[1:]}."
        )
    return _written(uri, found, [one.query or one.name for one in seen if one not in found])


def _look(uri: str, form: Form, query: str | None) -> Guess:
    """Read one table and guess what it is."""
    own = re.sub(r"[^A-Za-z0-9._-]+", "-", query or path_of(uri).stem).strip("-._") or "source"
    with tempfile.TemporaryDirectory() as folder:
        config = parse(yaml.safe_dump({"sources": [_bare(own, uri, query)]}, allow_unicode=True), "guess", env={})
        source = config.sources[0]
        raw = stage_source(source, Path(folder) / "raw.parquet")
        with connect(config, Path(folder)) as con:
            return Looker(con, source, raw, own, _text_form(uri, form)).look()


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
        check = "; check, it is a guess" if ours in one.unsure else ""
        lines.append(f"      {ours}: {_scalar(theirs)}   # {column.about if column else ''}{check}")
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
