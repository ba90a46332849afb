"""One snapshot of features over generated rows: time, memory, and the same columns by hand in SQL.

    python benchmarks/features.py [ROWS ...] [--threads 2] [--memory 2GB] [--snapshots 1]

Each measurement runs in its own process. Rows are lines of orders, about twenty per customer and five per order, over
three years; they are kept under `data/benchmarks/`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SNAPSHOT = date(2024, 1, 1)
FAMILIES = ("rfm", "windows", "returns")
FOLDER = Path("data/benchmarks")

GENERATE = """
COPY (
    WITH line AS (SELECT i, i // 5 AS o, hash(i) AS h FROM range({rows}) t(i)),
    placed AS (
        SELECT *, CAST(power(hash(o) / 18446744073709551616.0, 1.6) * {customers} AS BIGINT) AS c,
            CAST(hash(o * 31 + 7) % 94608000 AS BIGINT) AS s
        FROM line
    )
    SELECT 'shop' AS source, 'C' || lpad(CAST(c AS VARCHAR), 7, '0') AS record_id,
        TIMESTAMP '2021-01-01' + to_seconds(s) AS ts,
        CASE WHEN h % 50 = 0 THEN -1 ELSE 1 END * CAST(100 * (1 + h % 3000) AS BIGINT) AS amount,
        'O' || CAST(o AS VARCHAR) AS order_id, 'P' || CAST(hash(i * 17) % 4000 AS VARCHAR) AS product_id,
        'K' || CAST(hash(i * 17) % 4000 % 20 AS VARCHAR) AS category,
        CAST(10000 * (1 + h % 4) AS BIGINT) AS quantity, CAST(NULL AS BIGINT) AS unit_price,
        CAST(100 * (h % 7) AS BIGINT) AS discount, CAST(NULL AS VARCHAR) AS currency,
        CASE hash(o * 3) % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'shop' ELSE 'app' END AS channel,
        CAST(NULL AS TIMESTAMP) AS ingested_at, FALSE AS duplicate, FALSE AS cancellation,
        CAST(NULL AS TIMESTAMP) AS cancelled_at, FALSE AS non_product
    FROM placed
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""

BY_HAND = """
WITH lines AS (
    SELECT customer_id, source, order_id, amount, ts, datediff('day', DATE '1970-01-01', CAST(ts AS DATE)) AS day
    FROM transactions
    WHERE ts < TIMESTAMP '{day}' AND (ingested_at IS NULL OR ingested_at < TIMESTAMP '{day}')
),
by_line AS (
    SELECT customer_id, sum(amount) AS net, {line_windows},
        count(*) AS n, count(*) FILTER (amount < 0) AS back,
        count(*) FILTER (amount < 0 AND day >= {d} - 180) AS back_180,
        sum(-amount) FILTER (amount < 0) AS back_amount,
        sum(-amount) FILTER (amount < 0 AND day >= {d} - 180) AS back_amount_180,
        max(day) FILTER (amount < 0) AS back_day, sum(amount) FILTER (amount > 0) AS sold
    FROM lines GROUP BY 1
),
purchases AS MATERIALIZED (
    SELECT customer_id, sum(amount)::BIGINT AS amount, min(ts) AS ts,
        datediff('day', DATE '1970-01-01', CAST(min(ts) AS DATE)) AS day
    FROM lines GROUP BY customer_id, source, order_id HAVING sum(amount) > 0
),
by_order AS (
    SELECT customer_id, count(*) AS n_orders, {order_windows}, sum(amount) AS bought, max(amount) AS largest,
        max(ts) AS latest, sum(amount::HUGEINT * amount) AS squares
    FROM purchases GROUP BY 1
),
days AS (
    SELECT customer_id, day, amount, row_number() OVER (PARTITION BY customer_id ORDER BY day) > 1 AS later
    FROM (SELECT customer_id, day, sum(amount)::BIGINT AS amount FROM purchases GROUP BY 1, 2)
),
by_day AS (
    SELECT customer_id, count(*) AS n_days, min(day) AS first_day, max(day) AS last_day,
        sum(amount) FILTER (later) AS bought_later, {day_windows},
        count(DISTINCT ({d} - 1 - day) // 30) FILTER (day >= {d} - 360) AS months,
        sum(11 - 2 * (({d} - 1 - day) // 30)) FILTER (day >= {d} - 360) AS tilt,
        sum(amount * (11 - 2 * (({d} - 1 - day) // 30))) FILTER (day >= {d} - 360) AS bought_tilt
    FROM days GROUP BY 1
)
SELECT customer_id, n_orders::DOUBLE, (n_days - 1)::DOUBLE, (last_day - first_day)::DOUBLE, ({d} - first_day)::DOUBLE,
    ({d} * 86400 - epoch(latest)) / 86400.0, net / 1e4, bought / 1e4 / n_orders,
    sqrt((n_orders * squares - bought * bought)::DOUBLE / nullif(n_orders * (n_orders - 1), 0)) / 1e4, largest / 1e4,
    bought_later / 1e4 / nullif(n_days - 1, 0), {windows}, months::DOUBLE,
    coalesce(a90, 0) / (bought / 1.0), d90 / (n_days / 1.0),
    (coalesce(a90, 0) - coalesce(b90, 0)) / nullif((coalesce(a90, 0) + coalesce(b90, 0))::DOUBLE, 0),
    (coalesce(a180, 0) - coalesce(b180, 0)) / nullif((coalesce(a180, 0) + coalesce(b180, 0))::DOUBLE, 0),
    (d90 - e90) / nullif((d90 + e90)::DOUBLE, 0), (d180 - e180) / nullif((d180 + e180)::DOUBLE, 0),
    coalesce(tilt, 0) / 286.0, coalesce(bought_tilt, 0) / 286.0 / 1e4,
    back::DOUBLE, back_180::DOUBLE, coalesce(back_amount, 0) / 1e4, coalesce(back_amount_180, 0) / 1e4,
    coalesce(back_amount, 0) / sold::DOUBLE, back / n::DOUBLE, ({d} - back_day)::DOUBLE
FROM by_order JOIN by_day USING (customer_id) JOIN by_line USING (customer_id) ORDER BY customer_id
"""


def by_hand(day: date) -> str:
    """The columns of the families rfm, windows and returns as one would write them in SQL."""
    d = (day - date(1970, 1, 1)).days
    lengths = (30, 90, 180, 365)
    spans = {"90": f"day >= {d} - 90", "180": f"day >= {d} - 180"}
    before = {"90": f"day >= {d} - 180 AND day < {d} - 90", "180": f"day >= {d} - 360 AND day < {d} - 180"}
    day_windows = [f"count(*) FILTER (day >= {d} - 365) AS d365"]
    for n in spans:
        day_windows += [f"count(*) FILTER ({spans[n]}) AS d{n}", f"count(*) FILTER ({before[n]}) AS e{n}"]
        day_windows += [f"sum(amount) FILTER ({spans[n]}) AS a{n}", f"sum(amount) FILTER ({before[n]}) AS b{n}"]
    return BY_HAND.format(
        day=day,
        d=d,
        line_windows=", ".join(f"sum(amount) FILTER (day >= {d} - {n}) AS s{n}" for n in lengths),
        order_windows=", ".join(f"count(*) FILTER (day >= {d} - {n}) AS p{n}" for n in lengths),
        day_windows=", ".join(day_windows),
        windows=", ".join(
            [
                *(f"coalesce(s{n}, 0) / 1e4" for n in lengths),
                *(f"p{n}::DOUBLE" for n in lengths),
                "d90::DOUBLE",
                "d365::DOUBLE",
            ]
        ),
    )


def generate(rows: int) -> Path:
    """A workspace with that many transactions; the same rows each time."""
    import duckdb

    root = FOLDER / str(rows)
    path = root / "tables" / "transactions.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect(config={"memory_limit": "2GB"})
        con.execute(GENERATE.format(rows=rows, customers=max(rows // 20, 1), path=path))
        con.execute(
            f"COPY (SELECT DISTINCT source, record_id, record_id AS customer_id FROM read_parquet('{path}') "
            f"ORDER BY ALL) TO '{root / 'identity.parquet'}' (FORMAT parquet)"
        )
    return root


def measure(what: str, rows: int, threads: int, memory: str, snapshots: int) -> dict[str, Any]:
    """Seconds, CPU seconds and peak memory of one way of making the columns."""
    from custid.config import parse
    from custid.features.table import build, collect, connect, open_tables
    from custid.workspace import Workspace

    ws = Workspace(FOLDER / str(rows))
    source = f"sources: [{{name: shop, table: transactions, uri: '{ws.table('transactions')}'}}]"
    config = parse(f"{source}\nthreads: {threads}\nmemory: {memory}", "benchmarks/features.py")
    con = connect(config)
    tables = open_tables(con, config, ws)
    days = [SNAPSHOT - timedelta(days=30 * i) for i in range(snapshots)]
    start, cpu = time.perf_counter(), time.process_time()
    for day in days:
        if what == "by hand":
            con.create_view("transactions", tables["transactions"], overwrite=True)
            result = con.raw_sql(by_hand(day)).to_arrow_table()
        else:
            result = collect(build(tables, day, only=FAMILIES if what == "the same" else None))
    return {
        "what": what,
        "customers": result.num_rows,
        "columns": result.num_columns - (1 if what == "by hand" else 2),
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=[1_000_000], help="how many rows; several are run in turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="2GB", help="what DuckDB may hold in memory")
    parser.add_argument("--snapshots", type=int, default=1, help="how many, 30 days apart, one after the other")
    parser.add_argument("--only", choices=("by hand", "the same", "all"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        measured = measure(options.only, options.rows[0], options.threads, options.memory, options.snapshots)
        print(json.dumps(measured))
        return
    print(f"{'rows':>12} {'customers':>10} {'what':>10} {'columns':>8} {'seconds':>8} {'CPU s':>8} {'GB':>6}")
    for rows in options.rows:
        generate(rows)
        for what in ("by hand", "the same", "all"):
            shared = ["--threads", options.threads, "--memory", options.memory, "--snapshots", options.snapshots]
            command = [sys.executable, __file__, str(rows), "--only", what, *map(str, shared)]
            r = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(
                f"{rows:>12,} {r['customers']:>10,} {r['what']:>10} {r['columns']:>8} {r['seconds']:>8.2f} "
                f"{r['cpu']:>8.2f} {r['memory']:>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
