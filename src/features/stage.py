"""The stage of the pipeline that makes the rows that are scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DataError
from ..workspace import Note, discard, silent, write_parquet
from .observations import repeated
from .table import build, collect, connect, open_tables

if TYPE_CHECKING:
    from datetime import date

    from ..config import Config
    from ..workspace import Workspace


def make(config: Config, ws: Workspace, as_of: date, note: Note = silent) -> None:
    """Write ``features.parquet``: the features at ``as_of`` of every customer who is scored.

    Where prospects are a task and a table tells of them, ``prospect_features.parquet`` holds those of every prospect.

    Raises
    ------
    DataError
        Nobody had bought, had an open subscription or was observed before ``as_of``; or observations contradict each
        other.
    """
    note("opening the tables")
    tables = open_tables(connect(config), config, ws)
    if "observations" in tables and (count := repeated(tables["observations"]).execute()):
        raise DataError(
            f"observations: {count:,} customers have several different rows of one moment; expected one row for a "
            "customer and `as_of`."
        )
    note(f"features at {as_of}")
    features = collect(build(tables, as_of))
    if not features.num_rows:
        raise DataError(
            f"as_of: no customer has a purchase, an open subscription or an observation before {as_of}; expected a "
            "later day."
        )
    write_parquet(ws.features, features)
    if "prospects" in config.tasks and {"customers", "events"} & {*tables}:
        note(f"prospects at {as_of}")
        write_parquet(ws.prospect_features, collect(build(tables, as_of, who="prospects")))
    else:
        discard(ws.prospect_features)
