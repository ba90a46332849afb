"""What a training is made from, as fingerprints: data, features, settings, code. The same in, the same keys out."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ..features import table as features_table
from ..workspace import fingerprint
from .task import task_of
from .track import code_version

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from ..config import Config
    from ..workspace import Workspace
    from .history import History
    from .labelled.observed import AnyArchive

_LIBRARIES = ("numpy", "optuna", "scikit-learn", "scipy", "xgboost", "xgboost-cpu")
_SHARED = ("horizon", "seed", "training", "tuning")
_ROOT = Path(__file__).resolve().parents[1]
_ELSEWHERE = frozenset({"gate.py", "kept.py", "lineage.py", "logged.py", "model_code.py", "stage.py", "track.py"})


@dataclass(frozen=True, eq=False)
class Lineage:
    """Where a training comes from: everything is asked of its archive, and asked once."""

    archive: AnyArchive

    @property
    def config(self) -> Config:
        """The run's settings."""
        return self.archive.config

    @property
    def as_of(self) -> date:
        """The day that the models are for."""
        return self.archive.latest.day

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The canonical tables that the features are made of."""
        return features_table.used(self.archive.ws.tables())

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The features made of them."""
        names = self.archive.latest.features.column_names
        return tuple(name for name in names if name not in {"customer_id", "as_of"})

    @cached_property
    def features(self) -> str:
        """The fingerprint of the features' names and code."""
        return features_table.fingerprint(self.tables)

    @cached_property
    def code(self) -> str:
        """Which code trains, asked once: it may move on in git before the release is made."""
        return code_version()

    @cached_property
    def _data(self) -> dict[str, str]:
        return {}

    @cached_property
    def _shared(self) -> WeakKeyDictionary[History, str]:
        return WeakKeyDictionary()

    def data(self, task: str) -> str:
        """The fingerprint of a task's snapshots: features and labels; made once for tasks that share them."""
        if task not in self._data:
            history = self.archive.of(task_of(task))
            if history not in self._shared:
                self._shared[history] = data_fingerprint(history)
            self._data[task] = self._shared[history]
        return self._data[task]

    @cached_property
    def whole(self) -> str:
        """The fingerprint of the data of all tasks; that of each where they share it."""
        distinct = sorted({self.data(task) for task in self.config.tasks})
        return distinct[0] if len(distinct) == 1 else fingerprint(distinct)

    def rows(self, task: str) -> int:
        """How many labelled rows a task has, over all snapshots."""
        return sum(snapshot.features.num_rows for snapshot in self.archive.of(task_of(task)).snapshots)

    def key(self, task: str) -> str:
        """The digest of all that a task's model is made from: data, settings, code, libraries.

        What only says where things are kept (workspace, addresses, threads) is no part of it.
        """
        return fingerprint(task, self.data(task), self.features, self._settings(task), self._code, _libraries())

    def settings(self, task: str) -> dict[str, Any]:
        """The settings that a task's search depends on, and the size of what it learns from."""
        return {**self._settings(task), "rows": self.rows(task), "columns": len(self.columns)}

    def tags(self, task: str | None = None) -> dict[str, str]:
        """What a run or a version shows of its origin: of one task's data, or of all."""
        return {
            "as_of": self.as_of.isoformat(),
            "horizon": f"{self.config.needs_horizon().days}d",
            "seed": str(self.config.seed),
            "data": self.data(task) if task else self.whole,
            "features": self.features,
            "code": self.code,
        }

    def _settings(self, task: str) -> dict[str, Any]:
        settings = self.config.model_dump(mode="json", include={*_SHARED, task})
        settings["tuning"].pop("storage", None)
        return settings

    @cached_property
    def _code(self) -> str:
        files = [_ROOT / "asof.py", *sorted((_ROOT / "metrics").rglob("*.py"))]
        files += sorted((_ROOT / "models").rglob("*.py"))
        files += [p for p in sorted((_ROOT / "training").rglob("*.py")) if p.name not in _ELSEWHERE]
        return fingerprint([(p.relative_to(_ROOT).as_posix(), p.read_text(encoding="utf-8")) for p in files])


def _libraries() -> list[tuple[str, str]]:
    found = []
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):  # xgboost comes under one of two names
            found.append((name, version(name)))
    return found


def data_fingerprint(history: History) -> str:
    """A digest of the snapshots, those of the rehearsal too: days, column names, the values of features and labels in
    their order, and when customers bought.
    """
    state = hashlib.sha256()
    back = history.rehearsal
    rehearsed = (*back.snapshots, back.latest) if back else ()
    for snapshot in (*history.snapshots, history.latest, *rehearsed):
        state.update(snapshot.day.isoformat().encode())
        for table in (snapshot.features, snapshot.labels):
            if table is not None:
                _update(state, table)
        if (diary := snapshot.diary) is not None:
            for values in (diary.first, diary.last, diary.repeats, np.sort(diary.bought)):
                state.update(values.tobytes())
    return state.hexdigest()[:24]


def _update(state: Any, table: pa.Table) -> None:
    """Add a table's values. What lies in memory where a value is null must not count."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in table.column_names:
        column = table[name].combine_chunks()
        column = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        known = pc.is_valid(column)
        state.update(name.encode())
        for part in (known, column.filter(known)):
            sink = pa.BufferOutputStream()
            batch = pa.record_batch([part], names=["x"])
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
            state.update(sink.getvalue())


def currency(config: Config, ws: Workspace) -> str | None:
    """The currency of the outputs: the config's, else the one that all transactions name."""
    if config.currency.code is not None or not ws.table("transactions").exists():
        return config.currency.code
    import pyarrow.parquet as pq

    named = pq.read_table(ws.table("transactions"), columns=["currency"])["currency"].drop_null().unique().to_pylist()
    return str(named[0]) if len(named) == 1 else None
