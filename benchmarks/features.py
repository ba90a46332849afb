"""The features of generated transactions: time, memory and growth, beside the same columns by hand in SQL.

    python benchmarks/features.py [ROWS ...] [--threads 2] [--memory 2GB] [--snapshots 12] [--ways one "at once" ...]

    one          one snapshot, as the stage `features` writes it
    by hand      the same columns in SQL, as one would write it for DuckDB
    at once      twelve snapshots, 30 days apart, as training writes them
    one by one   the same, each computed by itself from the rows
    kept         one snapshot, with what a later day needs of it
    a new day    the snapshot of the day before, brought to the day by its new rows

Each is measured in its own process, in CPU seconds of all its threads, and writes its Parquet files; `to one` is the
CPU time over that of one snapshot. Rows are lines of orders, about twenty per customer and five per order, over three
years; they are kept under `data/benchmarks/`.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SNAPSHOT = date(2024, 1, 1)
BEFORE = SNAPSHOT - timedelta(days=1)
WAYS = ("one", "by hand", "at once", "one by one", "kept", "a new day")
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
COPY (
WITH lines AS MATERIALIZED (
    SELECT customer_id, source, order_id, product_id, category, channel, amount, quantity, discount, ts,
        datediff('day', DATE '1970-01-01', CAST(ts AS DATE)) AS day
    FROM transactions
    WHERE ts < TIMESTAMP '{day}' AND (ingested_at IS NULL OR ingested_at < TIMESTAMP '{day}')
),
by_line AS (
    SELECT customer_id, sum(amount) AS net, {line_windows}, {line_year_ago},
        count(*) AS n, count(*) FILTER (amount < 0) AS back,
        count(*) FILTER (amount < 0 AND day >= {d} - 180) AS back_180,
        sum(-amount) FILTER (amount < 0) AS back_amount,
        sum(-amount) FILTER (amount < 0 AND day >= {d} - 180) AS back_amount_180,
        max(day) FILTER (amount < 0) AS back_day, sum(amount) FILTER (amount > 0) AS sold,
        count(*) FILTER (amount > 0) AS sold_n, sum(amount) FILTER (amount > 0 AND quantity > 0) AS priced,
        sum(quantity) FILTER (amount > 0 AND quantity > 0) AS pieces,
        count(*) FILTER (amount > 0 AND discount IS NOT NULL) AS told_n,
        sum(amount) FILTER (amount > 0 AND discount IS NOT NULL) AS told,
        sum(amount) FILTER (amount > 0 AND discount IS NOT NULL AND day >= {d} - 180) AS told_180,
        count(*) FILTER (amount > 0 AND discount > 0) AS off_n, sum(discount) FILTER (amount > 0) AS off,
        sum(discount) FILTER (amount > 0 AND day >= {d} - 180) AS off_180,
        max(day) FILTER (amount > 0 AND discount > 0) AS off_day
    FROM lines GROUP BY 1
),
purchases AS MATERIALIZED (
    SELECT *, hour(ts) AS hour, isodow(ts) AS weekday, quarter(ts) AS quarter FROM (
        SELECT customer_id, sum(amount)::BIGINT AS amount, min(ts) AS ts, count(*) AS lines, min(channel) AS channel,
            sum(quantity) FILTER (amount > 0) AS quantity,
            datediff('day', DATE '1970-01-01', CAST(min(ts) AS DATE)) AS day
        FROM lines GROUP BY customer_id, source, order_id HAVING sum(amount) > 0)
),
by_order AS (
    SELECT customer_id, count(*) AS n_orders, {order_windows}, {order_year_ago}, sum(amount) AS bought,
        max(amount) AS largest, max(date_trunc('second', ts)) AS latest, sum(amount::HUGEINT * amount) AS squares,
        sum(lines) AS lines_sum, max(lines) AS lines_max, sum(quantity) AS quantity_sum, count(quantity) AS weighed,
        count(*) FILTER (weekday >= 6) AS weekend, {quarters}, {bands}
    FROM purchases GROUP BY 1
),
by_hour AS (
    SELECT customer_id, arg_max(hour, n * 24 - hour) AS top_hour, max(n) AS top_hour_n
    FROM (SELECT customer_id, hour, count(*) AS n FROM purchases GROUP BY 1, 2) GROUP BY 1
),
by_weekday AS (
    SELECT customer_id, arg_max(weekday, n * 8 - weekday) AS top_weekday, max(n) AS top_weekday_n
    FROM (SELECT customer_id, weekday, count(*) AS n FROM purchases GROUP BY 1, 2) GROUP BY 1
),
days AS (
    SELECT *, day - lag(day) OVER mine AS gap, lead(day, 3) OVER mine AS third,
        max(day) OVER (PARTITION BY customer_id) AS last
    FROM (SELECT customer_id, day, sum(amount)::BIGINT AS amount FROM purchases GROUP BY 1, 2)
    WINDOW mine AS (PARTITION BY customer_id ORDER BY day)
),
by_day AS (
    SELECT customer_id, count(*) AS n_days, min(day) AS first_day, max(day) AS last_day,
        sum(amount) FILTER (gap IS NOT NULL) AS bought_later, {day_windows},
        count(DISTINCT ({d} - 1 - day) // 30) FILTER (day >= {d} - 360) AS months,
        sum(11 - 2 * (({d} - 1 - day) // 30)) FILTER (day >= {d} - 360) AS tilt,
        sum(amount * (11 - 2 * (({d} - 1 - day) // 30))) FILTER (day >= {d} - 360) AS bought_tilt,
        count(gap) AS gaps, sum(gap) AS gap_sum, sum(gap * gap) AS gap_squares, median(gap) AS gap_median,
        max(gap) AS gap_max, min(gap) AS gap_min, arg_max(gap, day) AS gap_last,
        sum(gap) FILTER (third IS NULL) AS gap_newest, count(gap) FILTER (third IS NULL) AS gaps_newest,
        count(*) FILTER (gap > {d} - last) AS gaps_longer
    FROM days GROUP BY 1
),
by_product AS (
    SELECT customer_id, count(*) AS products, count(*) FILTER (first < last) AS again,
        count(*) FILTER (last >= {d} - 90) AS products_90, count(*) FILTER (first >= {d} - 90) AS new_90,
        sum(amount) AS product_amount, max(amount) AS product_most
    FROM (SELECT customer_id, product_id, sum(amount) AS amount, min(day) AS first, max(day) AS last
        FROM lines WHERE amount > 0 AND product_id IS NOT NULL GROUP BY 1, 2) GROUP BY 1
),
by_category AS (
    SELECT customer_id, max(category) FILTER (place = 1) AS top_category, max(n) AS top_category_n,
        sum(n) AS category_n, count(*) AS categories
    FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY n DESC, category) AS place FROM (
        SELECT customer_id, category, count(*) AS n FROM lines WHERE amount > 0 AND category IS NOT NULL GROUP BY 1, 2))
    GROUP BY 1
),
by_channel AS (
    SELECT customer_id, max(channel) FILTER (place = 1) AS top_channel, max(n) AS top_channel_n,
        sum(n) AS channel_n, count(*) AS channels
    FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY n DESC, channel) AS place FROM (
        SELECT customer_id, channel, count(*) AS n FROM purchases WHERE channel IS NOT NULL GROUP BY 1, 2))
    GROUP BY 1
)
SELECT customer_id, lines_sum / n_orders AS basket_lines, lines_max::DOUBLE AS basket_lines_max,
    quantity_sum / nullif(weighed, 0) / 1e4 AS basket_quantity, sold / 1e4 / nullif(sold_n, 0) AS line_mean,
    priced / nullif(pieces, 0) AS unit_price_mean, products::DOUBLE AS products, products_90::DOUBLE AS products_90,
    products / n_orders AS products_per_purchase, again / nullif(products, 0) AS repeat_product_share,
    new_90 / nullif(products_90, 0) AS new_product_share_90, product_most / product_amount AS top_product_share,
    gap_mean, gap_sd, gap_sd / gap_mean AS gap_cv, gap_median, gap_min::DOUBLE AS gap_min, gap_max::DOUBLE AS gap_max,
    gap_last::DOUBLE AS gap_last, gap_last / gap_mean AS gap_last_ratio,
    gap_newest / nullif(gaps_newest, 0) / gap_mean AS gap_recent_ratio, silence / gap_mean AS silence_ratio,
    silence / nullif(gap_median, 0) AS silence_median_ratio, (silence - gap_mean) / nullif(gap_sd, 0) AS silence_sd,
    gaps_longer / nullif(gaps, 0) AS gaps_longer_share,
    (coalesce(gap_squares, 0) + silence * silence) / (age * age) AS gap_concentration,
    weekend / n_orders AS weekend_share, {calendar}, off / 1e4 AS discount_total,
    off / nullif(off + told, 0) AS discount_share,
    off_180 / nullif(off_180 + told_180, 0) AS discount_share_180, off_n / nullif(told_n, 0) AS discounted_line_share,
    ({d} - off_day)::DOUBLE AS days_since_discount, {month_sin} AS month_sin, {month_cos} AS month_cos, top_category,
    top_category_n / category_n AS top_category_share, coalesce(categories, 0)::DOUBLE AS categories, top_channel,
    top_channel_n / channel_n AS top_channel_share, coalesce(channels, 0)::DOUBLE AS channels,
    lpad(top_hour::VARCHAR, 2, '0') AS top_hour, top_hour_n / n_orders AS top_hour_share,
    ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'][top_weekday] AS top_weekday,
    top_weekday_n / n_orders AS top_weekday_share, back::DOUBLE AS returns, back_180::DOUBLE AS returns_180,
    coalesce(back_amount, 0) / 1e4 AS return_value, coalesce(back_amount_180, 0) / 1e4 AS return_value_180,
    coalesce(back_amount, 0) / nullif(sold, 0) AS return_share, back / n AS return_line_share,
    ({d} - back_day)::DOUBLE AS days_since_return, n_orders::DOUBLE AS purchases, (n_days - 1)::DOUBLE AS repeat_days,
    (last_day - first_day)::DOUBLE AS recency_span, age::DOUBLE AS age,
    ({d} * 86400 - epoch(latest)) / 86400.0 AS days_since_last, net / 1e4 AS spend_total,
    bought / 1e4 / n_orders AS spend_mean,
    sqrt((n_orders * squares - bought * bought)::DOUBLE / nullif(n_orders * (n_orders - 1), 0)) / 1e4 AS spend_sd,
    largest / 1e4 AS spend_max, bought_later / 1e4 / nullif(n_days - 1, 0) AS spend_repeat_mean, {season}, {windows},
    d90::DOUBLE AS active_days_90, d365::DOUBLE AS active_days_365, months::DOUBLE AS active_months,
    coalesce(a90, 0) / bought AS spend_share_90, d90 / n_days AS active_share_90,
    {changes}, coalesce(tilt, 0) / 286 AS active_slope, coalesce(bought_tilt, 0) / 1e4 / 286 AS spend_slope
FROM by_order JOIN (
    SELECT *, {d} - last_day AS silence, {d} - first_day AS age, gap_sum / nullif(gaps, 0) AS gap_mean,
        sqrt((gaps * gap_squares - gap_sum * gap_sum)::DOUBLE / nullif(gaps * (gaps - 1), 0)) AS gap_sd FROM by_day
) USING (customer_id) JOIN by_line USING (customer_id) JOIN by_hour USING (customer_id)
    JOIN by_weekday USING (customer_id) LEFT JOIN by_product USING (customer_id)
    LEFT JOIN by_category USING (customer_id) LEFT JOIN by_channel USING (customer_id)
ORDER BY customer_id
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def by_hand(day: date, path: Path) -> str:
    """The columns that transactions give as one would write them in SQL."""
    d = (day - date(1970, 1, 1)).days
    lengths, ahead = (30, 90, 180, 365), (30, 90, 180)
    spans = {"90": f"day >= {d} - 90", "180": f"day >= {d} - 180"}
    before = {"90": f"day >= {d} - 180 AND day < {d} - 90", "180": f"day >= {d} - 360 AND day < {d} - 180"}
    year_ago = {n: f"day >= {d} - 365 AND day < {d} - {365 - n}" for n in ahead}
    bands = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
    day_windows = [f"count(*) FILTER (day >= {d} - 365) AS d365"]
    for n in spans:
        day_windows += [f"count(*) FILTER ({spans[n]}) AS d{n}", f"count(*) FILTER ({before[n]}) AS e{n}"]
        day_windows += [f"sum(amount) FILTER ({spans[n]}) AS a{n}", f"sum(amount) FILTER ({before[n]}) AS b{n}"]
    counted = [*(f"quarter_{q}" for q in (1, 2, 3, 4)), *bands]
    a, b = [f"coalesce(a{n}, 0)" for n in spans], [f"coalesce(b{n}, 0)" for n in spans]
    season = [f"coalesce(y{n}, 0) / 1e4 {{}} spend_ahead_{n}_year_ago" for n in ahead]
    season += [f"z{n}::DOUBLE {{}} purchases_ahead_{n}_year_ago" for n in ahead]
    parts = {
        "line_windows": [f"sum(amount) FILTER (day >= {d} - {n}) AS s{n}" for n in lengths],
        "line_year_ago": [f"sum(amount) FILTER ({year_ago[n]}) AS y{n}" for n in ahead],
        "order_windows": [f"count(*) FILTER (day >= {d} - {n}) AS p{n}" for n in lengths],
        "order_year_ago": [f"count(*) FILTER ({year_ago[n]}) AS z{n}" for n in ahead],
        "quarters": [f"count(*) FILTER (quarter = {q}) AS quarter_{q}" for q in (1, 2, 3, 4)],
        "bands": [f"count(*) FILTER (hour >= {a} AND hour < {b}) AS {band}" for band, (a, b) in bands.items()],
        "day_windows": day_windows,
        "calendar": [f"{name} / n_orders AS {name}_share" for name in counted],
        "season": ["CASE WHEN age >= 365 THEN " + value.format("END AS") for value in season],
        "windows": [
            *(f"coalesce(s{n}, 0) / 1e4 AS spend_{n}" for n in lengths),
            *(f"p{n}::DOUBLE AS purchases_{n}" for n in lengths),
        ],
        "changes": [
            *(f"({x} - {y}) / nullif({x} + {y}, 0) AS spend_change_{n}" for n, x, y in zip(spans, a, b, strict=True)),
            *(f"(d{n} - e{n}) / nullif(d{n} + e{n}, 0) AS active_change_{n}" for n in spans),
        ],
    }
    turn = 2 * math.pi * (day.month - 1) / 12
    return BY_HAND.format(
        day=day,
        d=d,
        path=path,
        month_sin=math.sin(turn),
        month_cos=math.cos(turn),
        **{name: ", ".join(columns) for name, columns in parts.items()},
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
    """Seconds, CPU seconds and peak memory of one way of making the features, written to Parquet files."""
    import pyarrow.parquet as pq

    from custid.asof import midnight
    from custid.config import parse
    from custid.features.renew import keep, renew
    from custid.features.table import build, collect, connect, open_tables
    from custid.features.write import write
    from custid.workspace import Workspace, write_parquet

    ws = Workspace(FOLDER / str(rows))
    source = f"sources: [{{name: shop, table: transactions, uri: '{ws.table('transactions')}'}}]"
    config = parse(f"{source}\nthreads: {threads}\nmemory: {memory}", "benchmarks/features.py")
    con = connect(config)
    tables = open_tables(con, config, ws)
    days = [SNAPSHOT - timedelta(days=30 * i) for i in reversed(range(snapshots))]
    made, state = {day: ws.root / "made" / f"{day}.parquet" for day in days}, ws.root / "state"
    made[SNAPSHOT].parent.mkdir(exist_ok=True)
    known = {"transactions": tables["transactions"].filter(tables["transactions"].ts < midnight(BEFORE))}
    if what == "a new day":
        keep(con, known, BEFORE, made[SNAPSHOT], state)
    elif what == "by hand":
        con.create_view("transactions", tables["transactions"], overwrite=True)
    start, cpu = time.perf_counter(), time.process_time()
    if what == "by hand":
        con.raw_sql(by_hand(SNAPSHOT, made[SNAPSHOT]))
    elif what == "one":
        write(con, tables, {SNAPSHOT: made[SNAPSHOT]})
    elif what == "at once":
        write(con, tables, made)
    elif what == "one by one":
        for day in days:
            write_parquet(made[day], collect(build(tables, day)))
    elif what == "kept":
        keep(con, tables, SNAPSHOT, made[SNAPSHOT], state)
    elif not renew(con, tables, SNAPSHOT, made[SNAPSHOT], state):
        raise AssertionError("what was kept could not be used")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    written = pq.ParquetFile(made[SNAPSHOT])
    return {
        "what": what,
        "customers": written.metadata.num_rows,
        "columns": len([name for name in written.schema_arrow.names if name not in ("customer_id", "as_of")]),
        "seconds": seconds,
        "cpu": cpu,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=[1_000_000], help="how many rows; several are run in turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="2GB", help="what DuckDB may hold in memory")
    parser.add_argument("--snapshots", type=int, default=12, help="how many at once, 30 days apart")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=WAYS, help="which ways; all by default")
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        measured = measure(options.only, options.rows[0], options.threads, options.memory, options.snapshots)
        print(json.dumps(measured))
        return
    print(
        f"{'rows':>12} {'customers':>10} {'what':>11} {'columns':>8} "
        f"{'seconds':>8} {'CPU s':>8} {'to one':>7} {'GB':>6}"
    )
    for rows in options.rows:
        generate(rows)
        one = None
        for what in sorted(options.ways, key=WAYS.index):
            shared = ["--threads", options.threads, "--memory", options.memory, "--snapshots", options.snapshots]
            command = [sys.executable, __file__, str(rows), "--only", what, *map(str, shared)]
            r = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            one = r["cpu"] if what == "one" else one
            ratio = f"{r['cpu'] / one:>7.2f}" if one else f"{'':>7}"
            print(
                f"{rows:>12,} {r['customers']:>10,} {r['what']:>11} {r['columns']:>8} {r['seconds']:>8.1f} "
                f"{r['cpu']:>8.2f} {ratio} {r['memory']:>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
