"""Broken input, as its user meets it: a sentence and exit code 2, or quarantine and a run that says so."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = "customer_id,order_id,ts,amount"
CONFIG = """\
name: shop
horizon: 60d
sources:
  - name: shop
    table: transactions
    uri: orders.csv
"""


def history(customers: int = 120, seed: int = 1) -> list[str]:
    """Lines of an ordinary year of orders."""
    rng = random.Random(seed)
    lines = []
    for customer in range(customers):
        for _ in range(rng.choice([1, 2, 3, 6])):
            day = rng.randrange(336)
            lines.append(
                f"c{customer},o{len(lines)},2023-{1 + day // 28:02d}-{1 + day % 28:02d},{rng.randint(5, 99)}.5"
            )
    return lines


def text(*lines: str) -> bytes:
    return ("\n".join([HEADER, *lines]) + "\n").encode()


def custid(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "custid", *words], cwd=folder, capture_output=True, text=True, timeout=300
    )


ROWS = history()
EUROS = [f"{line},{'EUR' if i % 2 else 'GBP'}" for i, line in enumerate(ROWS)]
REFUSED: dict[str, tuple[bytes, str, list[str]]] = {
    "no such file": (b"", CONFIG.replace("orders.csv", "none.csv"), ["none.csv", "no such"]),
    "missing column": (text(*ROWS).replace(b"amount", b"amuont", 1), CONFIG, ["orders.csv", "amount", "'amuont'"]),
    "misspelt mapping": (text(*ROWS), CONFIG + "    columns: {ts: date_of_order}\n", ["orders.csv", "'date_of_order'"]),
    "empty file": (b"", CONFIG, ["orders.csv", "empty"]),
    "header only": (text(), CONFIG, ["orders.csv", "no row"]),
    "text in all amounts": (
        text(*(r.rsplit(",", 1)[0] + ",many" for r in ROWS)),
        CONFIG,
        ["orders.csv", "amount_unreadable", "line 2"],
    ),
    "random bytes": (random.Random(3).randbytes(5000), CONFIG, ["orders.csv"]),
    "undecidable dates": (
        text(*(f"c{i % 9},o{i},0{1 + i % 9}/0{1 + i % 8}/2023,5" for i in range(200))),
        CONFIG,
        ["'ts'", "'01/01/2023'", "sources.shop.date_format"],
    ),
    "mixed currencies": (text(*EUROS).replace(b"amount", b"amount,currency", 1), CONFIG, ["EUR", "GBP", "rates"]),
    "unknown key": (text(*ROWS), CONFIG + "horizont: 3d\n", ["shop.yaml:7", "horizont", "Did you mean 'horizon'?"]),
    "unknown task": (text(*ROWS), CONFIG + "tasks: [chrun]\n", ["shop.yaml:7", "'chrun'", "Did you mean 'churn'?"]),
    "as_of before the data": (text(*ROWS), CONFIG + "as_of: 2001-01-01\n", ["2001-01-01", "before"]),
    "one row": (text(ROWS[0]), CONFIG, ["1", "100", "min_customers"]),
    "one customer": (text(*(r.replace(r.split(",")[0], "c1", 1) for r in ROWS)), CONFIG, ["1", "100"]),
    "all returns": (text(*(",".join([*r.split(",")[:3], "-" + r.split(",")[3]]) for r in ROWS)), CONFIG, ["purchase"]),
    "unwritable workspace": (text(*ROWS), CONFIG + "workspace: orders.csv/ws\n", ["workspace", "cannot be written"]),
    "a config that is no YAML": (text(*ROWS), CONFIG + "tasks: [\n", ["shop.yaml", "not valid YAML"]),
    "no horizon": (text(*ROWS), CONFIG.replace("horizon: 60d\n", ""), ["horizon", "180d"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_refused_with_a_sentence(kind, tmp_path):
    data, config, parts = REFUSED[kind]
    (tmp_path / "orders.csv").write_bytes(data)
    (tmp_path / "shop.yaml").write_text(config)
    done = custid(tmp_path, "run", "shop.yaml")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert all(part in done.stderr for part in parts), done.stderr


def _excel_like(rows: list[str]) -> bytes:
    return "\ufeff".encode() + text(*rows).replace(b"\n", b"\r\n")


def _latin(rows: list[str]) -> bytes:
    return text(*(r.replace("c1,", "Zoë,", 1) for r in rows)).decode().encode("cp1252")


def _amounts(rows: list[str]) -> bytes:
    return text(*(r if i % 20 else r.rsplit(",", 1)[0] + ",about 5" for i, r in enumerate(rows)))


def _two_formats(rows: list[str]) -> bytes:
    def other(row: str) -> str:
        customer, order, day, amount = row.split(",")
        return ",".join([customer, order, ".".join(reversed(day.split("-"))), amount])

    return text(*(r if i % 20 else other(r) for i, r in enumerate(rows)))


def _future(rows: list[str]) -> bytes:
    return text(*rows, "c1,late1,2024-03-01,7", "c2,late2,9999-03-01,7")


def _ragged(rows: list[str]) -> bytes:
    return text(*rows, "c1,o,2023-02-01,5,too,many", "c2,too few")


USED: dict[str, tuple[Callable[[list[str]], bytes], str, dict[str, Any]]] = {
    "BOM and CRLF": (_excel_like, "", {}),
    "another encoding": (_latin, "", {}),
    "text in some amounts": (_amounts, "", {"amount_unreadable": -(-len(ROWS) // 20)}),
    "two date formats": (_two_formats, "", {"ts_unreadable": -(-len(ROWS) // 20)}),
    "future dates": (_future, "as_of: 2023-12-30\n", {"ts_out_of_range": 1}),
    "ragged lines": (_ragged, "", {"row_misshapen": 2}),
}


@pytest.mark.parametrize("kind", USED)
def test_what_cannot_be_used_is_quarantined_and_counted(kind, tmp_path):
    make, more, reasons = USED[kind]
    (tmp_path / "orders.csv").write_bytes(make(ROWS))
    (tmp_path / "shop.yaml").write_text(CONFIG + more)
    done = custid(tmp_path, "ingest", "shop.yaml")
    assert done.returncode == 0, done.stderr
    account = json.loads((tmp_path / "data/shop/quality.json").read_text())["sources"]["shop"]
    assert account["rows"] == account["accepted"] + account["quarantined"]
    assert account["reasons"] == reasons
    if kind == "future dates":
        assert account["later"] == 1


def test_a_horizon_longer_than_the_data_is_learnt_shorter_and_said(tmp_path, quick):
    (tmp_path / "orders.csv").write_bytes(text(*history(300)))
    (tmp_path / "shop.yaml").write_text(CONFIG.replace("60d", "900d") + "tasks: [churn]\n")
    done = custid(tmp_path, "run", "shop.yaml", *(word for pair in quick for word in ("--set", pair)))
    assert done.returncode == 0, done.stderr
    notes = json.loads((tmp_path / "data/shop/metrics.json").read_text())["churn"]["notes"]
    assert any("900" in note for note in notes), notes
