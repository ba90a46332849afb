"""Block after block of people, streamed into files."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from ...errors import InputError
from . import accounts as accounts_
from . import behaviour, campaigns, engagement, identity, people, records, registers, shape, truth
from .settings import FILES, config_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from .shape import Texts

    Tables = dict[str, pa.Table]

BLOCK = 1_000
"""People who are drawn together; a seed and a block's number decide everything about it."""
ROW_GROUP = 131_072
"""Rows per write: the files do not depend on how many people were in memory."""
_STAGES = 8


def run(
    out: Path,
    customers: int,
    seed: int,
    months: int,
    start: date,
    chunk: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write everything under ``out``; each file appears under its name when it is complete."""
    span = _span(start, months)
    with Files(out) as files:
        held: list[Tables] = []
        waiting = 0
        for first in range(0, customers, BLOCK):
            count = min(BLOCK, customers - first)
            held.append(block(seed, first // BLOCK, count, span))
            waiting += count
            if waiting >= chunk or first + count == customers:
                for name in FILES:
                    files.add(name, pa.concat_tables([tables[name] for tables in held]))
                held, waiting = [], 0
                if progress is not None:
                    progress(first + count, customers)
        files.finish(config_text(out, start, span.days, seed))


def _span(start: date, months: int) -> behaviour.Span:
    total = start.year * 12 + start.month - 1 + months
    last = np.datetime64(f"{total // 12:04d}-{total % 12 + 1:02d}-01", "D") + (start.day - 1)
    first = np.datetime64(start, "D")
    return behaviour.Span(int(first.astype(np.int64)), int((last - first).astype(np.int64)))


def block(seed: int, number: int, count: int, span: behaviour.Span) -> Tables:
    """All rows of one block of people, by file."""
    rng = [np.random.default_rng([seed, number, stage]) for stage in range(_STAGES)]
    dice = Random(int(np.random.default_rng([seed, number, _STAGES]).integers(2**62)))
    folk = people.draw(rng[0], number * BLOCK, count, span.days, span.epoch_day)
    lives, orders = behaviour.live(rng[1], folk, span)
    contacts, orders = campaigns.run(rng[2], folk, lives, orders, span)
    lines = behaviour.fill(rng[3], folk, orders, span)
    events = engagement.visit(rng[4], folk, lives, orders, lines, span)
    said = engagement.answer(rng[5], folk, lives, orders, span)
    members = engagement.subscribe(rng[5], folk, lives, span)
    accounts = accounts_.open_accounts(rng[6], folk, lives, orders, span.end)
    known = identity.particulars(dice, folk)
    filed = records.register(dice, folk, lives, orders, accounts, known, span)
    if number == 0:
        row, who = records.test_account(span)
        filed.shop.append(row)
        filed.identity.append(who)
    shop, app, keys, persons = _ids(folk, known)
    rows = shape.sold_before_end(lines, span)
    return {
        "shop_customers": registers.shop_customers(filed.shop),
        "shop_orders": shape.shop_orders(rng[7], folk, accounts, shop, orders, lines, rows, number, span),
        "pos_members": registers.pos_members(filed.pos),
        "pos_sales": shape.pos_sales(rng[7], folk, keys, orders, lines, rows, number, span),
        "app_users": registers.app_users(filed.app),
        "app_events": shape.app_events(accounts, app, events, number, span),
        "app_feedback": shape.app_feedback(accounts, app, said, span),
        "app_campaigns": shape.app_campaigns(accounts, app, contacts, orders, lines, span),
        "app_subscriptions": shape.app_subscriptions(accounts, app, members, span),
        "truth_customers": truth.customers(folk, known, persons, lives, orders, lines, span),
        "truth_identity": _identity(filed),
        "truth_campaigns": shape.true_campaigns(accounts, app, contacts, persons),
    }


def _ids(folk: people.People, known: list[identity.Identity]) -> tuple[Texts, Texts, Texts, Texts]:
    """Record ids in the shop and the app (first, second account), member keys, and the truth's names of people."""
    number = folk.number.tolist()
    shop = np.array([[accounts_.shop_id(i, second) for second in (False, True)] for i in number])
    app = np.array([[accounts_.app_id(i, second) for second in (False, True)] for i in number])
    keys = np.array([k.digits for k in known])
    return shop, app, keys, np.array([records.person_id(i) for i in number])


def _identity(filed: records.Registrations) -> pa.Table:
    source, record, person = zip(*filed.identity, strict=True)
    return pa.table({"source": pa.array(source), "record_id": pa.array(record), "person": pa.array(person)})


class Files:
    """Open files that take rows and write them in groups of a fixed size, however the rows arrive."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._writers: dict[str, pq.ParquetWriter | pyarrow.csv.CSVWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {name: [] for name in FILES}

    def __enter__(self) -> Files:
        try:
            for file in FILES.values():
                (self._out / file).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._out}: cannot be written ({error.strerror}); expected a folder.") from error
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()
        for name in FILES:
            self._part(name).unlink(missing_ok=True)

    def _part(self, name: str) -> Path:
        path = self._out / FILES[name]
        return path.with_name(path.name + ".part")

    def add(self, name: str, table: pa.Table) -> None:
        """Take rows, and write as many full groups as there are."""
        self._waiting[name].append(table)
        if sum(map(len, self._waiting[name])) < ROW_GROUP:
            return
        rows = pa.concat_tables(self._waiting[name])
        full = len(rows) // ROW_GROUP * ROW_GROUP
        for at in range(0, full, ROW_GROUP):
            self._write(name, rows.slice(at, ROW_GROUP))
        self._waiting[name] = [rows.slice(full).combine_chunks()]

    def _write(self, name: str, rows: pa.Table) -> None:
        if name not in self._writers:
            self._writers[name] = self._open(name, rows.schema)
        self._writers[name].write_table(rows.combine_chunks())

    def _open(self, name: str, schema: pa.Schema) -> pq.ParquetWriter | pyarrow.csv.CSVWriter:
        if not FILES[name].endswith(".csv"):
            return pq.ParquetWriter(self._part(name), schema, compression="zstd")
        options = pyarrow.csv.WriteOptions(delimiter=";" if name == "pos_members" else ",", quoting_style="needed")
        return pyarrow.csv.CSVWriter(self._part(name), schema, write_options=options)

    def finish(self, config: str) -> None:
        """Write what is left, close everything, and give the files their names; the config last."""
        for name, waiting in self._waiting.items():
            self._write(name, pa.concat_tables(waiting))
            self._writers[name].close()
        self._writers = {}
        for name, file in FILES.items():
            self._part(name).replace(self._out / file)
        part = self._out / "custid.yaml.part"
        part.write_text(config, encoding="utf-8")
        part.replace(self._out / "custid.yaml")
