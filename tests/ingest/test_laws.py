"""What holds of every table that is ingested, whatever is in it."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custid.config import parse
from custid.errors import DataError
from custid.ingest.sql import connect
from custid.ingest.stage import ingest
from custid.workspace import Workspace

CALM = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
NAMES = ["customer_id", "order_id", "ts", "amount", "product_id"]

nasty = st.one_of(
    st.sampled_from(
        ["", " ", "nan", "NULL", "7", "7.0", "2024-01-05", "2024-13-05", "5.5", "1,000.25", "-3", "inf", "C7"]
    ),
    st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\r\x85\u2028\u2029"), max_size=6),
    st.sampled_from(["two\nlines", 'a "quote"', "comma, inside", "半角"]),
)
day = st.dates(date(2024, 1, 1), date(2024, 3, 1)).map(str)
good = st.tuples(st.sampled_from("abc"), st.sampled_from(["1", "2", "C3"]), day, st.sampled_from(["5", "-5", "7.25"]),
                 st.sampled_from(["p", "q", "POST"]))  # fmt: skip
rows_of_a_table = st.lists(
    st.one_of(good.map(list), st.lists(nasty, min_size=5, max_size=5), st.lists(nasty, min_size=1, max_size=7)),
    max_size=12,
)


def _written(rows: list[list[str]], **how: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", **how).writerows([NAMES, *rows])
    return out.getvalue()


def _ingest(folder: Path, **keys: Any) -> Workspace:
    source = {"name": "shop", "table": "transactions", "uri": str(folder / "shop.csv")} | keys.pop("source", {})
    text = yaml.safe_dump(
        {"sources": [source], "quality": {"max_refused": 1.0}, "workspace": str(folder / "ws")} | keys
    )
    ws = Workspace(folder / "ws").create()
    ingest(parse(text, "law.yaml", env={}), ws)
    return ws


def _account(ws: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ws.quality.read_text(encoding="utf-8"))["sources"]["shop"]
    return found


def _count(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows) if path.exists() else 0


@CALM
@given(
    rows=rows_of_a_table,
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    separator=st.sampled_from(",;\t|"),
)
def test_rows_in_are_rows_accepted_and_rows_quarantined(rows: list[list[str]], quoting: int, separator: str) -> None:
    text = _written(rows, quoting=quoting, delimiter=separator)
    filled = [row for row in rows if len(row) != len(NAMES) or any(row)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.csv").write_text(text, encoding="utf-8", newline="")
        stopped = False
        try:
            ws = _ingest(folder, as_of="2024-02-01", source={"delimiter": separator, "date_format": "%Y-%m-%d"})
        except DataError:
            ws, stopped = Workspace(folder / "ws"), True
        account = _account(ws)
        assert account["rows"] == len(filled)
        assert account["rows"] == account["accepted"] + account["quarantined"]
        assert account["quarantined"] == _count(ws.refused("shop"))
        if not stopped:
            assert account["accepted"] == _count(ws.table("transactions")) + _count(ws.later("transactions"))
        lines = text.split("\n")
        for row in pq.read_table(ws.refused("shop")).to_pylist() if ws.refused("shop").exists() else []:
            start = row.get("text") or row["customer_id"]
            assert lines[row["row"] - 1].lstrip('"').startswith(start.lstrip('"').split("\n")[0].split('"')[0])


@CALM
@given(rows=st.lists(good, min_size=1, max_size=15), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_row(rows: list[tuple[str, ...]], order: Any) -> None:
    moved = list(rows)
    order.shuffle(moved)
    assert _accepted(rows) == _accepted(moved)


def _accepted(rows: list[tuple[str, ...]]) -> list[Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.csv").write_text(_written([list(r) for r in rows]), encoding="utf-8")
        table = pq.read_table(_ingest(folder, as_of="2024-04-01").table("transactions"))
        return sorted(map(repr, table.to_pylist()))


@CALM
@given(before=st.lists(good, min_size=1, max_size=12), extra=st.lists(good, max_size=12))
def test_rows_at_or_after_the_wall_change_nothing_before_it(before: list[Any], extra: list[Any]) -> None:
    wall = "2024-02-01"
    before = [*before, ("a", "1", "2024-01-01", "5", "p")]
    known = [row for row in before if row[2] < wall]
    later = [row for row in extra if row[2] >= wall]
    tables = []
    for rows in (known, [*known, *later]):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "shop.csv").write_text(_written([list(r) for r in rows]), encoding="utf-8")
            tables.append(pq.read_table(_ingest(folder, as_of=wall).table("transactions")))
    assert tables[0].equals(tables[1])


WALL = date(2022, 6, 1)
FORMS = ["%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y", "slashes", "%d %b %Y"]
amounts = st.sampled_from(["5", "7.50", "7,25", "1,234.50", "1.234,50", "$5", "€5", "12 EUR", "(3)", "many", ""])
currencies = st.sampled_from(["GBP", "EUR", "USD", ""])


def _day(when: date, form: str, order: str) -> str:
    return when.strftime({"slashes": order}.get(form, form))


@st.composite
def tables_beside_the_wall(draw: Any) -> tuple[list[list[str]], list[list[list[str]]]]:
    """Rows before the wall, in few ways of writing, and two sets of rows after it, in any."""
    order, other = draw(st.permutations(["%d/%m/%Y", "%m/%d/%Y"]))
    forms = draw(st.lists(st.sampled_from(FORMS), min_size=1, max_size=2))
    usual = draw(st.lists(amounts, min_size=1, max_size=3)), draw(st.lists(currencies, min_size=1, max_size=2))
    known = st.tuples(
        st.sampled_from("abc"), st.dates(date(2022, 1, 1), WALL - timedelta(days=1)), st.sampled_from(forms),
        st.sampled_from(usual[0]), st.sampled_from(usual[1]),
    )  # fmt: skip
    later = st.tuples(
        st.sampled_from(["a", "d", ""]), st.dates(WALL, date(2022, 12, 31)),
        st.sampled_from([*FORMS, "other way round"]), amounts, currencies,
    )  # fmt: skip
    before = [
        [who, f"k{i}", _day(when, form, order), amount, currency]
        for i, (who, when, form, amount, currency) in enumerate(draw(st.lists(known, min_size=1, max_size=10)))
    ]
    after = []
    for _ in range(2):
        rows = []
        for i, (who, when, form, amount, currency) in enumerate(draw(st.lists(later, max_size=15))):
            turned = other if form == "other way round" and when.day > 12 else order
            rows.append(
                [who, f"l{i}", _day(when, form.replace("other way round", "slashes"), turned), amount, currency]
            )
        after.append(rows)
    return before, after


@settings(CALM, max_examples=25)
@given(both=tables_beside_the_wall(), order=st.randoms(use_true_random=False))
def test_how_later_rows_are_written_changes_nothing_before_the_wall(both: Any, order: Any) -> None:
    before, after = both
    results = []
    for later in ([], *after):
        rows = [*before, *later]
        if later:
            places = sorted(order.sample(range(len(rows)), len(before)))
            rows = list(later)
            for place, row in zip(places, before, strict=True):
                rows.insert(place, row)
        text = "customer_id;order_id;ts;amount;currency\n" + "".join(";".join(row) + "\n" for row in rows)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "shop.csv").write_text(text, encoding="utf-8")
            try:
                ws = _ingest(folder, as_of=str(WALL), quality={"max_refused": 0.5})
                results.append(pq.read_table(ws.table("transactions")))
            except DataError:
                results.append(None)
    assert all(one == results[0] for one in results[1:])


@pytest.mark.parametrize(
    ("before", "later", "reason"),
    [
        (["a;01.02.2022;5", "b;17.03.2022;6"], ["c;2022-07-01;5"] * 9, "ts_unreadable"),
        (["a;13/02/2022;5", "b;01/03/2022;6"], ["c;12/25/2022;5"] * 9, "ts_unreadable"),
        (["a;2022-02-01;5.25", "b;2022-03-17;6"], ["c;2022-07-01;7,25"] * 9, "amount_unreadable"),
        (["a;2022-02-01;£5", "b;2022-03-17;£6"], ["c;2022-07-01;€7"] * 9, "amount_in_another_currency"),
    ],
)
def test_later_rows_that_are_written_otherwise_are_refused_and_stop_nothing(
    tmp_path: Path, before: list[str], later: list[str], reason: str
) -> None:
    (tmp_path / "shop.csv").write_text("customer_id;ts;amount\n" + "\n".join([*before, *later]) + "\n")
    ws = _ingest(tmp_path, as_of="2022-06-01", quality={"max_refused": 0.1})
    assert _account(ws)["reasons"] == {reason: len(later)}
    assert _count(ws.table("transactions")) == 2


def test_later_rows_without_a_rate_are_refused_and_stop_nothing(tmp_path: Path) -> None:
    rows = "a,2022-02-01,5,GBP\nb,2022-07-01,5,EUR\nc,2022-07-01,5,gbp\n"
    (tmp_path / "shop.csv").write_text("customer_id,ts,amount,currency\n" + rows)
    ws = _ingest(tmp_path, as_of="2022-06-01")
    account = _account(ws)
    assert account["reasons"] == {"currency_without_rate": 1}
    assert (account["accepted"], account["later"], _count(ws.refused("shop"))) == (2, 1, 1)


def test_dates_that_only_later_rows_could_tell_apart_stop_the_run(tmp_path: Path) -> None:
    for later in ("25/12/2022", "12/25/2022"):
        (tmp_path / "shop.csv").write_text(f"customer_id,ts,amount\na,03/04/2022,5\nb,01/02/2022,5\nc,{later},5\n")
        with pytest.raises(DataError, match="day or the month first"):
            _ingest(tmp_path, as_of="2022-06-01")


def test_an_arrival_that_only_later_rows_have_stops_nothing(tmp_path: Path) -> None:
    rows = "a,2022-02-01,5,\nb,2022-07-01,5,07/08/2022\nc,2022-03-01,5,\n"
    (tmp_path / "shop.csv").write_text("customer_id,ts,amount,ingested_at\n" + rows)
    ws = _ingest(tmp_path, as_of="2022-06-01", quality={"max_refused": 0.1})
    assert pq.read_table(ws.table("transactions"))["record_id"].to_pylist() == ["a", "c"]
    assert _account(ws)["reasons"] == {"ingested_at_unreadable": 1}


def test_a_later_value_makes_no_attribute_text(tmp_path: Path) -> None:
    people = "record_id,registered_at,age\na,2022-01-01,30\nb,2022-02-01,41\nc,2022-07-01,unknown\n"
    (tmp_path / "shop.csv").write_text(people)
    ws = _ingest(tmp_path, as_of="2022-06-01", source={"table": "customers"})
    assert pq.read_table(ws.table("customers"))["age"].to_pylist() == [30.0, 41.0]


numbers = st.one_of(
    st.decimals(-(10**11), 10**11, allow_nan=False, allow_infinity=False, places=6).map(str),
    st.floats(-1e9, 1e9, allow_nan=False).map(repr),
    st.integers(-(10**9), 10**9).map(lambda n: str(Decimal(n * 10 + 5) / 100_000)),
)


@settings(deadline=None, max_examples=10, derandomize=True)
@given(texts=st.lists(numbers, min_size=30, max_size=60))
def test_money_is_the_written_decimal_rounded_half_to_even(texts: list[str]) -> None:
    config = parse("sources: [{name: a, table: transactions, uri: a.csv}]", "law.yaml", env={})
    with tempfile.TemporaryDirectory() as folder, connect(config, Path(folder)) as con:
        con.register("given", pa.table({"i": list(range(len(texts))), "s": texts}))
        found = con.execute("SELECT fixed(s, exact(s)) FROM given ORDER BY i").fetchall()
    assert [n for (n,) in found] == [_fixed(Decimal(text)) for text in texts]


def _fixed(value: Decimal) -> int:
    return int((value * 10_000).to_integral_value(ROUND_HALF_EVEN))


prices = st.decimals(-(10**5), 10**5, allow_nan=False, allow_infinity=False, places=5)


@CALM
@given(pairs=st.lists(st.tuples(st.decimals(-1000, 1000, places=2), prices), min_size=5, max_size=20))
def test_amount_is_the_exact_product(pairs: list[tuple[Decimal, Decimal]]) -> None:
    rows = "".join(f"{i},2024-01-01,{q},{p}\n" for i, (q, p) in enumerate(pairs))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.csv").write_text("customer_id,ts,quantity,unit_price\n" + rows, encoding="utf-8")
        table = pq.read_table(_ingest(folder).table("transactions"))
    assert table["amount"].to_pylist() == [_fixed(q * p) for q, p in pairs]


lines = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("pq"), st.sampled_from([1, 2, -1, -2, -1]), st.integers(0, 40)),
    max_size=25,
)


@CALM
@given(lines=lines)
def test_a_cancellation_takes_back_the_latest_line_that_is_left(lines: list[tuple[str, str, int, int]]) -> None:
    start = datetime(2024, 1, 1)  # midnights without a zone, as the tables hold them
    told = sorted({(day, -quantity, who, what, i): None for i, (who, what, quantity, day) in enumerate(lines)})
    rows = [(who, str(i), start + timedelta(days=day), -less, what) for i, (day, less, who, what, _) in enumerate(told)]
    expected: dict[str, datetime | None] = {}
    open_lines: dict[tuple[str, str, int], list[str]] = {}
    for who, order, moment, quantity, what in rows:
        expected[order] = None
        stack = open_lines.setdefault((who, what, abs(quantity)), [])
        if quantity > 0:
            stack.append(order)
        elif stack:
            expected[stack.pop()] = moment
    text = "".join(f"{w},{o},{m:%Y-%m-%d},{q},{p},{q}\n" for w, o, m, q, p in rows)
    text = "customer_id,order_id,ts,amount,product_id,quantity\nz,last,2024-03-01,1,z,1\n" + text
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.csv").write_text(text, encoding="utf-8")
        for wall in (date(2024, 3, 2), date(2024, 1, 21)):
            known = [r for r in rows if r[2].date() < wall]
            if not known:
                continue
            table = pq.read_table(_ingest(folder, as_of=str(wall)).table("transactions"))
            found = dict(zip(table["order_id"].to_pylist(), table["cancelled_at"].to_pylist(), strict=True))
            found.pop("last", None)
            seen = {o: (at if at is not None and at.date() < wall else None) for o, at in expected.items()}
            assert found == {o: seen[o] for _, o, *_ in known}
