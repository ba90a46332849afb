"""Prospects: the champion over the rows of those who have not bought yet."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..explain import reasons
from ..profiles.stage import reason_type
from ..profiles.wording import words
from ..workspace import Note, Workspace, discard, replacing, silent

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from ..config.settings import ExplainSettings
    from ..models.bundle import AnyPredictor, Bundle


def prospects(
    bundle: Bundle, release: str, ws: Workspace, as_of: date, explain: ExplainSettings, note: Note = silent
) -> None:
    """Write ``prospects.parquet``, and keep a copy beside the scores of the day.

    Where the release does not know of prospects, or the features were made without them, the files are not there.

    A row for each prospect, by customer_id: as_of, release, ``p_first_purchase`` (the chance of a first purchase within
    the horizon), ``expected_first_value`` (the net spend to expect in it, that chance included), ``known_by``
    (registered or visiting) and ``reasons`` of the chance, empty but for the ``explain.customers`` of most value.

    Raises
    ------
    InputError
        The rows of the prospects are of another day.
    """
    import pyarrow.parquet as pq

    if bundle.prospects is None or not ws.prospect_features.exists():
        for path in (ws.prospects, ws.prospects_of(as_of)):
            discard(path)
        return
    features = pq.read_table(ws.prospect_features)
    if any(day != as_of for day in features["as_of"].unique().to_pylist()):
        raise InputError(f"{ws.prospect_features.name}: was made for another day than {as_of}; run `custid features`.")
    note(f"scoring {features.num_rows:,} prospects")
    with replacing(ws.prospects) as draft:
        pq.write_table(scored(bundle.prospects, release, features, explain), draft, compression="zstd")
        with replacing(ws.prospects_of(as_of)) as copy:
            shutil.copyfile(draft, copy)


def scored(predictor: AnyPredictor, release: str, features: pa.Table, explain: ExplainSettings) -> pa.Table:
    """The table of prospects, from their features."""
    import pyarrow as pa

    said = predictor.predict(features)
    chance, value = (said[name] for name in predictor.outputs)
    table = features.select(["customer_id", "as_of"])
    table = table.append_column("release", pa.repeat(pa.scalar(release, pa.string()), len(table)))
    for name in predictor.outputs:
        table = table.append_column(name, pa.array(said[name]))
    table = table.append_column("known_by", pa.array(_known_by(features), pa.string()))
    first = np.argsort(-(value if value.any() else chance), kind="stable")[: explain.customers]
    told: list[list[dict[str, Any]]] = [[] for _ in range(len(table))]
    if len(first):
        rows = features.take(np.sort(first))
        parts = predictor.contributions(rows)
        columns = {name: rows[name].to_pylist() for name in parts.names if name in rows.column_names}
        found = reasons("prospects", parts, columns, predictor.usual, words(), explain.reasons)
        for i, mine in zip(np.sort(first).tolist(), found, strict=True):
            told[i] = [asdict(reason) for reason in mine]
    return table.append_column("reasons", pa.array(told, reason_type()))


def _known_by(features: pa.Table) -> list[str]:
    """Whether they are known from a registration, or from visits alone."""
    if "registrations" not in features.column_names:
        return ["visiting"] * features.num_rows
    return ["registered" if count else "visiting" for count in features["registrations"].to_pylist()]
