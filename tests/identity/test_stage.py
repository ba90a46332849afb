"""Who is who: every record once, by exact keys, whatever the order of the rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.config import Config, parse
from custid.errors import ConfigError, DataError
from custid.identity.stage import as_known, resolve
from custid.identity.standard import email, national_id, phone
from custid.tables import SPECS, arrow_schema
from custid.workspace import Workspace, write_parquet

if TYPE_CHECKING:
    from pathlib import Path


def _config(sources: str = "ab", extra: str = "") -> Config:
    listed = ", ".join(f"{{name: {s}, table: customers, uri: {s}.csv}}" for s in sources)
    return parse(f"sources: [{listed}]\n{extra}", "identity.yaml", env={})


def _customers(ws: Workspace, people: list[dict[str, Any]]) -> None:
    schema = arrow_schema(SPECS["customers"])
    write_parquet(ws.table("customers"), pa.Table.from_pylist(people, schema=schema))


def _resolved(folder: Path, people: list[dict[str, Any]], config: Config | None = None) -> dict[tuple[str, str], Any]:
    ws = Workspace(folder)
    _customers(ws, people)
    resolve(config or _config(), ws)
    rows = pq.read_table(ws.identity).to_pylist()
    found = {(r["source"], r["record_id"]): (r["customer_id"], r["method"], r["probability"]) for r in rows}
    assert len(found) == len(rows)
    return found


def _person(source: str, record: str, **keys: str | None) -> dict[str, Any]:
    return {"source": source, "record_id": record, **keys}


def test_one_source_keeps_its_own_ids(tmp_path: Path) -> None:
    people = [_person("a", "7", email="x@y.org"), _person("a", "8", email="x@y.org")]
    found = _resolved(tmp_path, people, _config("a"))
    assert found == {("a", "7"): ("7", "own id", 1.0), ("a", "8"): ("8", "own id", 1.0)}


def test_several_sources_are_linked_by_keys_and_chains_of_them(tmp_path: Path) -> None:
    people = [
        _person("b", "1", email=" Ann@Example.org", phone="138 0013 8000"),
        _person("a", "9", phone="+86-13800138000", national_id="AB 123456"),
        _person("a", "5", national_id="ab-123456"),
        _person("a", "6", email="other@example.org"),
        _person("b", "6", email=None),
    ]
    found = _resolved(tmp_path, people)
    assert {found[key][0] for key in (("b", "1"), ("a", "9"), ("a", "5"))} == {"a:5"}
    assert found["a", "9"][1] == found["a", "5"][1] == "exact national_id"
    assert found["b", "1"][1] == "exact phone"
    assert found["a", "6"] == ("a:6", "single", 1.0)
    assert found["b", "6"] == ("b:6", "single", 1.0)


def test_a_value_that_many_share_links_nobody(tmp_path: Path) -> None:
    people = [_person("a", str(i), phone="010 6552 9988") for i in range(5)]
    config = _config(extra="identity: {max_group: 4}")
    assert {method for _, method, _ in _resolved(tmp_path, people, config).values()} == {"single"}
    assert len(set(_resolved(tmp_path, people[:4], config).values())) == 1


def test_every_record_of_every_table_is_there(tmp_path: Path) -> None:
    ws = Workspace(tmp_path)
    rows = [{"source": "b", "record_id": r, "amount": 1} for r in ("1", "2", "2")]
    write_parquet(ws.table("transactions"), pa.Table.from_pylist(rows, schema=arrow_schema(SPECS["transactions"])))
    found = _resolved(tmp_path, [_person("a", "1"), _person("a", "1"), _person("b", "1")])
    assert set(found) == {("a", "1"), ("b", "1"), ("b", "2")}


def test_without_tables_there_is_nothing_to_resolve(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run the stage ingest first"):
        resolve(_config(), Workspace(tmp_path))


def test_an_unknown_region_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"identity.region: 'XX' is not known"):
        _resolved(tmp_path, [_person("a", "1", phone="12345678")], _config(extra="identity: {region: XX}"))


people = st.lists(
    st.builds(
        _person,
        st.sampled_from("abc"),
        st.sampled_from("12345"),
        email=st.sampled_from([None, "a@b.org", "A@B.org ", "c@d.org", "nobody"]),
        phone=st.sampled_from([None, "13800138000", "0086 138 0013 8000", "13900139000"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(people=people, order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nobody(
    tmp_path_factory: pytest.TempPathFactory, people: list[dict[str, Any]], order: Any
) -> None:
    config = _config("abc")
    first = _resolved(tmp_path_factory.mktemp("first"), people, config)
    moved = list(people)
    order.shuffle(moved)
    assert _resolved(tmp_path_factory.mktemp("moved"), moved, config) == first
    assert set(first) == {(p["source"], p["record_id"]) for p in people}
    for customer, _, _ in first.values():
        group = [f"{s}:{r}" for (s, r), (c, _, _) in first.items() if c == customer]
        assert customer == min(group)


def _standard(expression: str, value: str) -> str | None:
    row = duckdb.execute(f"SELECT {expression} FROM (SELECT ? AS x)", [value]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("spelt", "region", "expected"),
    [
        ("13800138000", "CN", "+8613800138000"),
        ("(+86) 138-0013-8000", "CN", "+8613800138000"),
        ("0086 13800138000 ext. 5", "CN", "+8613800138000"),
        ("010-65529988", "CN", "+861065529988"),
        ("+49 (0)151 000 96542", "CN", "+4915100096542"),
        ("0151 000 96542", "DE", "+4915100096542"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("00000000", "CN", None),
        ("12", "CN", None),
        ("call me", "CN", None),
    ],
)
def test_telephone_numbers(spelt: str, region: str, expected: str | None) -> None:
    assert _standard(phone("x", region), spelt) == expected


def test_addresses_and_ids() -> None:
    assert _standard(email("x"), " Ann.Lee@Example.COM") == "ann.lee@example.com"
    assert _standard(email("x"), "n/a") is None
    assert _standard(national_id("x"), "11010519491231002x") == "11010519491231002X"
    assert _standard(national_id("x"), "000000") is None


def _on(folder: Path, day: date) -> dict[tuple[str, str], str]:
    rows = as_known(_config(), Workspace(folder), day).to_pylist()
    return {(r["source"], r["record_id"]): r["customer_id"] for r in rows}


def test_a_link_that_became_known_later_does_not_reach_back(tmp_path: Path) -> None:
    early, late = datetime(2024, 1, 1), datetime(2024, 5, 1)
    people = [
        _person("a", "1", email="a@x.org") | {"registered_at": early},
        _person("b", "2", email="b@x.org") | {"registered_at": early},
        _person("b", "2", email="a@x.org") | {"registered_at": early, "valid_from": late},
        _person("b", "3", email="a@x.org") | {"registered_at": late},
    ]
    now = _resolved(tmp_path, people)
    assert {now[key][0] for key in now} == {"a:1"}
    then = _on(tmp_path, date(2024, 3, 1))
    assert (then["a", "1"], then["b", "2"]) == ("a:1", "b:2")
    assert then["b", "3"] == "a:1", "a record of later belongs to whom it is found to be"
    assert set(_on(tmp_path, date(2024, 5, 2)).values()) == {"a:1"}


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("12345"), st.sampled_from("uvwx"), st.integers(0, 9)),
        min_size=1,
        max_size=14,
    ),
    st.integers(1, 9),
)
@settings(max_examples=25, deadline=None)
def test_what_is_known_later_changes_no_identity_of_a_day(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str, int]], wall: int
) -> None:
    people = [_person(s, r, email=f"{e}@x.org") | {"valid_from": datetime(2024, 1, 1 + d)} for s, r, e, d in rows]
    before = [p for p in people if p["valid_from"] < datetime(2024, 1, 1 + wall)]
    whole, cut = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("cut")
    _resolved(whole, people)
    found = _on(whole, date(2024, 1, 1 + wall))
    if before:
        known = {key: value[0] for key, value in _resolved(cut, before).items()}
        assert {key: found[key] for key in known} == known
