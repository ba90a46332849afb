"""The flags of transactions in a request, by the code that flags those of a run.

Only for releases whose features leave flagged rows out. What ingest decides over a whole source (which columns it has,
whether a prefix marks cancellations) is decided here over the rows of the request: send every column that the source
has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ingest.flags import flag
from ..tables import FLAGS
from .rows import order_made_up

if TYPE_CHECKING:
    import pyarrow as pa

    from ..config.settings import QualitySettings


def flagged(transactions: pa.Table, quality: QualitySettings) -> pa.Table:
    """Transactions of a request with their flags filled in.

    Examples
    --------
    >>> from datetime import date
    >>> from custid.config.settings import QualitySettings
    >>> from custid.serving.rows import read_rows
    >>> bought = {"ts": "2024-05-01", "amount": 9, "quantity": 1, "product_id": "P", "order_id": "1"}
    >>> given_back = {"ts": "2024-05-03", "amount": -9, "quantity": -1, "product_id": "P", "order_id": "C2"}
    >>> rows = read_rows("transactions", [[bought, given_back]], date(2024, 6, 1))
    >>> flags = flagged(rows, QualitySettings(drop=("cancellations",)))
    >>> flags["cancellation"].to_pylist(), flags["cancelled_at"].to_pylist()[0].isoformat()
    ([False, True], '2024-05-03T00:00:00')
    """
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(transactions):
        return transactions
    known = ("record_id", "source", "customer_id", *(column.name for column in FLAGS))
    given = [n for n in transactions.column_names if n not in known and transactions[n].null_count < len(transactions)]
    rows = transactions.append_column("row", pa.array(range(len(transactions)), pa.int64()))
    made_up = pa.array([order_made_up(n) for n in range(len(transactions))])
    order = rows["order_id"].combine_chunks()
    rows = rows.append_column("order_given", pc.if_else(pc.equal(order, made_up), pa.scalar(None, pa.string()), order))
    with duckdb.connect(config={"threads": 1}) as con:
        con.register("requested", rows)
        flag(con, "requested", ["record_id", *given], quality, "true", "flags")
        made = con.execute("SELECT * FROM flags ORDER BY row").to_arrow_table()
    for column in FLAGS:
        place = transactions.schema.get_field_index(column.name)
        field = transactions.schema.field(place)
        transactions = transactions.set_column(place, field, made[column.name].cast(field.type))
    return transactions
