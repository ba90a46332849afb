import random
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.asof import midnight
from custid.config import parse
from custid.config.settings import QualitySettings
from custid.features.single import Recompute
from custid.ingest.stage import ingest
from custid.serving.flags import flagged
from custid.serving.rows import read_rows
from custid.workspace import Workspace

AS_OF = date(2024, 6, 1)
FLAGS = ("duplicate", "cancellation", "cancelled_at", "non_product")
DROP = ("duplicates", "cancellations", "non_products")


def history(seed):
    """A customer's lines: purchases, some cancelled, some twice, some postage; with and without an order number."""
    draw = random.Random(seed)
    rows = []
    for n in range(30):
        ts = midnight(date(2024, 1, 1)) + timedelta(days=draw.randrange(120), seconds=n)
        product = draw.choice(["A", "B", "POST"])
        row = {
            "ts": ts,
            "order_id": f"{500 + n}",
            "product_id": product,
            "quantity": draw.randrange(1, 4),
            "amount": 9.5,
        }
        rows.append(row)
        if draw.random() < 0.3:
            later = ts + timedelta(days=draw.randrange(40))
            rows.append({**row, "ts": later, "order_id": f"C{900 + n}", "quantity": -row["quantity"], "amount": -9.5})
        if draw.random() < 0.2:
            rows.append(dict(row))
    return rows


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """The same lines as ingest flags them, by customer."""
    folder = tmp_path_factory.mktemp("ingested")
    lines = [{"record_id": f"c{seed}", **row} for seed in range(8) for row in history(seed)]
    pq.write_table(pa.Table.from_pylist(lines), folder / "lines.parquet")
    text = (
        f"horizon: 30d\nas_of: {AS_OF}\nworkspace: {folder / 'ws'}\nquality: {{drop: [{', '.join(DROP)}]}}\n"
        f"sources: [{{name: shop, table: transactions, uri: {folder / 'lines.parquet'}}}]\n"
    )
    config = parse(text, "test")
    ws = Workspace(config.workspace).create()
    ingest(config, ws)
    return pq.read_table(ws.table("transactions")).to_pylist()


@pytest.mark.parametrize("seed", range(8))
def test_a_request_is_flagged_as_the_source_was(ingested, seed):
    rows = [{**row, "ts": row["ts"].isoformat()} for row in history(seed)]
    ours = flagged(read_rows("transactions", [rows], AS_OF), QualitySettings(drop=DROP)).to_pylist()
    theirs = [row for row in ingested if row["record_id"] == f"c{seed}"]
    assert [[row[f] for f in FLAGS] for row in ours] == [[row[f] for f in FLAGS] for row in theirs]
    assert any(row["cancelled_at"] for row in ours)


def test_features_leave_out_what_the_release_leaves_out(ingested):
    rows = [{**row, "ts": row["ts"].isoformat()} for row in history(1)]
    table = flagged(read_rows("transactions", [rows], AS_OF), QualitySettings(drop=DROP))
    batch = pa.Table.from_pylist([{**row, "customer_id": "0"} for row in ingested if row["record_id"] == "c1"])
    recompute = Recompute(["transactions"], DROP)
    ours, theirs = (recompute.features({"transactions": t}, AS_OF) for t in (table, batch))
    assert ours.to_pylist() == theirs.to_pylist()
    assert ours["purchases"][0].as_py() > 0


def test_no_rows_have_no_flags():
    empty = read_rows("transactions", [[]], AS_OF)
    assert len(flagged(empty, QualitySettings(drop=DROP))) == 0
