"""The features of snapshots as files: those that are missing are built together, and kept for the next training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..features.table import build, collect, connect, fingerprint, open_tables, purchase_days, used
from ..features.write import write
from ..identity.stage import as_known
from ..workspace import digest, read_json, write_json, write_parquet
from ..workspace import fingerprint as digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    import ibis
    import pyarrow as pa

    from ..config import Config
    from ..features.facts import Population
    from ..workspace import Note, Workspace


class Built:
    """The tables of a workspace as they were known on a day, and the features that are made of them."""

    def __init__(self, config: Config, ws: Workspace, note: Note) -> None:
        self._config, self._ws, self._note = config, ws, note
        self._con = connect(config)
        self.now: dict[str, ibis.Table] = open_tables(self._con, config, ws)
        self._one_source = len({source.name for source in config.sources}) == 1
        self._opened: list[tuple[pa.Table, dict[str, ibis.Table]]] = []
        self._key = _key(config, ws)

    def tables(self, day: date) -> dict[str, ibis.Table]:
        """The tables, with the customers as they were known on a day; one source's own ids are always known."""
        if self._one_source:
            return self.now
        who = as_known(self._config, self._ws, day)
        for known, tables in self._opened:
            if known.equals(who):
                return tables
        self._opened.append((who, open_tables(self._con, self._config, self._ws, who)))
        return self._opened[-1][1]

    def build(self, days: Iterable[date]) -> None:
        """Write the features on some days, as far as they are not there: at once, where the same people are known."""
        together: dict[int, tuple[dict[str, ibis.Table], list[date]]] = {}
        for day in sorted(set(days)):
            if not self._is_there(day):
                tables = self.tables(day)
                together.setdefault(id(tables), (tables, []))[1].append(day)
        for tables, missing in together.values():
            for day in missing:
                self._note(f"building the snapshot of {day}")
                self._made_from(day).unlink(missing_ok=True)
            write(self._con, tables, {day: self._ws.snapshot(day) for day in missing})
            for day in missing:
                write_parquet(self._ws.purchase_days(day), collect(purchase_days(tables, day)))
                write_json(self._made_from(day), self._key)

    def read(self, day: date, who: Population = "customers") -> tuple[pa.Table, pa.Table | None]:
        """The features of a day, and the days with a purchase that were known by then (of prospects, none)."""
        import pyarrow.parquet as pq

        if who == "customers":
            self.build([day])
            return pq.read_table(self._ws.snapshot(day)), pq.read_table(self._ws.purchase_days(day))
        path, made_from = self._ws.snapshot(day, who), self._made_from(day, who)
        if not (path.exists() and read_json(made_from) == self._key):
            made_from.unlink(missing_ok=True)
            write_parquet(path, collect(build(self.tables(day), day, who=who)))
            write_json(made_from, self._key)
        return pq.read_table(path), None

    def _is_there(self, day: date) -> bool:
        there = self._ws.snapshot(day).exists() and self._ws.purchase_days(day).exists()
        return there and read_json(self._made_from(day)) == self._key

    def _made_from(self, day: date, who: Population = "customers") -> Path:
        name = "made_from.json" if who == "customers" else f"{who}_made_from.json"
        return self._ws.snapshot(day).with_name(name)


def _key(config: Config, ws: Workspace) -> str:
    """What snapshots are made from: the tables' bytes, who is who, what is dropped, and the features' code."""
    files = [digest(ws.table(name)) for name in used(ws.tables())] + [digest(ws.identity)]
    who = ["as known on the day", config.identity.model_dump(mode="json")]
    return digest_of(files, who, sorted(config.quality.drop), fingerprint(ws.tables()))
