"""The stage of the pipeline that makes the rows that are scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DataError
from ..workspace import Note, discard, silent, write_parquet
from .observations import repeated
from .renew import renew
from .table import build, collect, connect, families, open_tables
from .write import write

if TYPE_CHECKING:
    from datetime import date

    from ..config import Config
    from ..workspace import Workspace


def make(config: Config, ws: Workspace, as_of: date, note: Note = silent) -> None:
    """Write ``features.parquet``: the features at ``as_of`` of every customer who is scored.

    With ``features.keep``, what they were made of is kept, and a later day takes but its new rows.

    Where prospects are a task and a table tells of them, ``prospect_features.parquet`` holds those of every prospect.

    Raises
    ------
    DataError
        Nobody had bought, had an open subscription or was observed before ``as_of``; or observations contradict each
        other.
    """
    note("opening the tables")
    con = connect(config)
    tables = open_tables(con, config, ws)
    if "observations" in tables and (count := repeated(tables["observations"]).execute()):
        raise DataError(
            f"observations: {count:,} customers have several different rows of one moment; expected one row for a "
            "customer and `as_of`."
        )
    note(f"features at {as_of}")
    if config.features.keep and families(tables):
        if renew(con, tables, as_of, ws.features, ws.kept_features):
            note(f"features at {as_of}, from those of an earlier day and the new rows")
    else:
        discard(ws.kept_features)
        write(con, tables, {as_of: ws.features}, empty=False)
    if "prospects" in config.tasks and {"customers", "events"} & {*tables}:
        note(f"prospects at {as_of}")
        write_parquet(ws.prospect_features, collect(build(tables, as_of, who="prospects")))
    else:
        discard(ws.prospect_features)
