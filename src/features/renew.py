"""A snapshot kept together with what it was made of, and brought to a later day by the rows that are new.

What is kept are the plan's tables (:mod:`~.plan`), a few columns per customer and their facts, folded. On the later day
the rows of those customers who have new ones are read; everyone grows older by what is kept of them. The features are,
to the bit, those of a whole computation.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ..workspace import discard, fingerprint, read_json, replacing, write_json
from .many import ROWS, Held, drop, numbered, open_rows
from .parts import Part, parts
from .plan import plan
from .table import families
from .write import nobody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import ibis
    import pyarrow as pa

    from .plan import Plan


def keep(con: Any, tables: Mapping[str, ibis.Table], day: date, path: Path, state: Path) -> None:
    """Write the features at a day, as :func:`~.write.write` does, and into a folder what :func:`renew` needs of them.

    Parameters
    ----------
    con
        The Ibis backend of DuckDB that the tables belong to.
    tables
        Canonical tables with ``customer_id``.
    day
        The snapshot.
    path
        The file of the features.
    state
        The folder of what is kept; one that is there is replaced.
    """
    made = _plan(tables, [day])
    open_rows(con, tables, [day], made)

    def each() -> Iterator[Held]:
        for part in parts(tables, ROWS):
            held = Held(con.con, part, tuple(tables), made)
            held.stage()
            held.advance(0)
            yield held

    _write(con, each(), 0, made, day, path, state, _known(con, tables, made, [0])[0])


def renew(con: Any, tables: Mapping[str, ibis.Table], day: date, path: Path, state: Path) -> bool:
    """Write the features at a later day than the one that is kept, and keep that day instead.

    Returns
    -------
    bool
        Whether what was kept could be used; else everything has been computed: nothing is there, it was made by other
        code or of other tables, rows that were known on its day (or whose they are) are no longer as they were, the
        day is no later one, or some feature has to be taken from all rows anew.
    """
    kept = read_json(state / "made_from.json", {})
    before = date.fromisoformat(kept.get("day", day.isoformat()))
    made = _plan(tables, [before, day])
    if before >= day or kept["key"] != _key(made) or any(f"rows_{name}" in made.final[1] for name in tables):
        keep(con, tables, day, path, state)
        return False
    open_rows(con, tables, [before, day], made)
    earlier, known = _known(con, tables, made, [0, 1])
    if earlier != kept.get("known"):
        keep(con, tables, day, path, state)
        return False
    _write(con, _renewed(con, tables, made, state, kept["parts"]), 1, made, day, path, state, known)
    return True


def _known(con: Any, tables: Mapping[str, ibis.Table], made: Plan, numbers: Sequence[int]) -> list[dict[str, str]]:
    """For each of some snapshots, a digest of the rows that it sees, by table.

    Neither the order of the rows nor when one is cancelled is in it. All digests are taken in one reading.
    """
    found: list[dict[str, str]] = [{} for _ in numbers]
    seen = [f"FILTER (custid_since <= {number} AND custid_until > {number})" for number in numbers]
    digests = ", ".join(f"count(*) {rows} || ' ' || coalesce(sum(digest) {rows}, 0)" for rows in seen)
    for name in tables:
        columns = ", ".join(f'"{column}"' for column in made.columns[name] if column != "cancelled_at")
        rows = f"SELECT hash({columns}) AS digest, custid_since, custid_until FROM all_{name}"
        for known, digest in zip(found, con.con.execute(f"SELECT {digests} FROM ({rows})").fetchone(), strict=True):
            known[name] = digest
    return found


def _renewed(con: Any, tables: Mapping[str, ibis.Table], made: Plan, state: Path, count: int) -> Iterator[Held]:
    duck = con.con
    news = " UNION ".join(
        f"SELECT DISTINCT customer_id FROM all_{name} WHERE custid_since = 1 OR custid_until = 1" for name in tables
    )
    duck.execute(f"CREATE OR REPLACE TEMP TABLE news AS {news}")
    for name in tables:
        rows = f"SELECT * FROM all_{name} WHERE customer_id IN (FROM news)"
        duck.execute(f"CREATE OR REPLACE TEMP TABLE news_{name} AS {rows}")
    old = [_read(state / f"part-{number}" / "names.parquet")["customer_id"].combine_chunks() for number in range(count)]
    new = _shared_out(duck.execute("FROM news ORDER BY 1").to_arrow_table()["customer_id"].to_pylist(), old)
    for number in range(count):
        held = _taken_up(duck, tuple(tables), made, state / f"part-{number}", old[number], new[number])
        held.stage("news")
        held.advance(1)
        yield held
    drop(duck, ["news", *(f"news_{name}" for name in tables)])


def _shared_out(names: Iterable[str], old: list[pa.Array]) -> list[list[str]]:
    """To each part the customers whose ids lie from its first to the next part's first."""
    firsts = [part[0].as_py() for part in old]
    shares: list[list[str]] = [[] for _ in old]
    for name in names:
        shares[max(0, bisect_right(firsts, name) - 1)].append(name)
    return shares


def _taken_up(duck: Any, tables: Sequence[str], made: Plan, folder: Path, old: pa.Array, new: list[str]) -> Held:
    """A part with its new customers, and what is kept of it, by their numbers now."""
    import pyarrow as pa
    import pyarrow.compute as pc

    more = pa.array(new, pa.string())
    fresh = more.filter(pc.invert(pc.is_in(more, old)))
    names = pa.concat_arrays([old, fresh])
    names = names.take(pc.sort_indices(names)) if len(fresh) else names
    places = pc.index_in(old, names).cast(pa.int64())
    duck.register("places", pa.table({"customer_id": np.arange(len(old)), "place": places}))
    for name in made.kept:
        duck.execute(
            f"CREATE TEMP TABLE {name} AS SELECT place AS customer_id, t.* EXCLUDE (customer_id) "
            "FROM read_parquet(?) t JOIN places USING (customer_id)",
            [str(folder / f"{name}.parquet")],
        )
    duck.unregister("places")
    held = Held(duck, Part(names), tables, made)
    settled = _read(folder / "settled.parquet")
    held.settle(settled.set_column(0, "customer_id", places.take(settled["customer_id"].combine_chunks())))
    return held


def _write(
    con: Any,
    each: Iterator[Held],
    number: int,
    made: Plan,
    day: date,
    path: Path,
    state: Path,
    known: Mapping[str, str],
) -> None:
    """Write features at a snapshot, by its number, and what is kept, part by part.

    The folder is changed for the new one when all is written. Raises DataError where nobody is seen.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    draft = state.with_name(f".{state.name}.draft")
    discard(draft)
    count, rows, writer = 0, 0, None
    with replacing(path) as file:
        for held in each:
            features = held.features(number)
            writer = writer or pq.ParquetWriter(file, features.schema, compression="zstd")
            writer.write_table(features)
            rows += features.num_rows
            folder = draft / f"part-{count}"
            folder.mkdir(parents=True)
            for name, table in (("names", pa.table({"customer_id": held.part.names})), ("settled", held.settled())):
                pq.write_table(table, folder / f"{name}.parquet", compression="lz4")
            for name in made.kept:
                target = str(folder / f"{name}.parquet").replace("'", "''")
                con.con.execute(f"COPY {name} TO '{target}' (FORMAT parquet, COMPRESSION lz4_raw)")
            held.clear()
            count += 1
        if writer is not None:
            writer.close()
        if not rows:
            raise nobody(day)
    made_from = {"day": day.isoformat(), "key": _key(made), "parts": count, "known": known}
    write_json(draft / "made_from.json", made_from)
    discard(state)
    draft.rename(state)


def _plan(tables: Mapping[str, ibis.Table], days: list[date]) -> Plan:
    """A plan under which what is kept is right on every later day, too."""
    schemas = {name: numbered(table.schema()) for name, table in tables.items()}
    others = [days[-1] + timedelta(days=n) for n in (1, 40, 400)]
    return plan(schemas, days, families(tables), others)


def _key(made: Plan) -> str:
    return fingerprint(made.once, made.kept, made.settled)


def _read(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path)
