"""The stage ``score``: the champion release over the feature rows."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ..errors import CustidError, InputError
from ..models.bundle import Bundle
from ..registry import Registry
from ..workspace import Note, Workspace, replacing, silent
from .manifest import require_same_features
from .prospects import prospects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from ..config import Config
    from ..registry import Release

BATCH = 100_000


def score(config: Config, ws: Workspace, as_of: date, note: Note = silent) -> None:
    """Score every customer of ``features.parquet`` with the champion; never trains.

    Writes ``scores.parquet`` (customer_id, as_of, release, then the columns of the tasks that the release holds, no
    nulls, in the order of the features) and keeps a copy under ``scores/as_of=.../``. Rows are read, scored and written
    in batches, and each file appears whole or not at all. Where the release knows of prospects, ``prospects.parquet``
    is written, too.

    Raises
    ------
    InputError
        Where there is no champion, no feature row of this day, or the champion was trained as of a later day or on
        other feature code.
    """
    registry = Registry(config, ws)
    release = champion(registry)
    release.require_unknowing(as_of)
    require_same_features(release.manifest)
    note(f"loading {release.id}")
    bundle = Bundle.load(registry.fetch(release))
    with replacing(ws.scores) as draft:
        rows = _write(draft, (_scored(bundle, release.id, batch, as_of) for batch in _batches(ws.features)), note)
        if not rows:
            raise InputError(f"{ws.features.name}: no customer to score before {as_of}; expected at least one buyer.")
        with replacing(ws.scores_of(as_of)) as copy:
            shutil.copyfile(draft, copy)
    prospects(bundle, release.id, ws, as_of, config.explain, note)


def champion(registry: Registry) -> Release:
    """The release in use, or an error that says how to make one."""
    release = registry.champion()
    if release is None:
        raise InputError("There is no champion release yet; run `custid train CONFIG` first.")
    return release


def _batches(path: Path) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        raise InputError(f"{path.name}: not there yet; run `custid features CONFIG` first.")
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            yield pa.Table.from_batches([batch])


def _scored(bundle: Bundle, release: str, features: pa.Table, as_of: date) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.all(pc.equal(features["as_of"], pa.scalar(as_of))).as_py():
        raise InputError(f"features.parquet: was made for another day than {as_of}; run `custid features CONFIG`.")
    scores = bundle.predict(features)
    empty = [name for name in scores.column_names if scores[name].null_count]
    if empty:
        raise CustidError(f"release {release}: gave no value in {', '.join(empty)} for some customers.")
    return scores.add_column(2, "release", pa.repeat(pa.scalar(release, pa.string()), len(scores)))


def _write(path: Path, tables: Iterator[pa.Table], note: Note) -> int:
    import pyarrow.parquet as pq

    rows, writer = 0, None
    try:
        for table in tables:
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
            rows += len(table)
            note(f"scored {rows:,} customers")
    finally:
        if writer is not None:
            writer.close()
    return rows
