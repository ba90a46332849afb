"""Ten million transactions from the simulator: time, CPU time and peak memory.

    python benchmarks/simulate.py [--customers 740000] [--out FOLDER]

Without ``--out`` the files go to a temporary folder and are removed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from custid.ingest.simulate import simulate


def measure(out: Path, customers: int, seed: int) -> dict[str, float]:
    """Simulate and say how many rows came of it and what they cost."""
    began, used = time.perf_counter(), time.process_time()
    simulate(out, customers=customers, seed=seed)
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    lines = _csv_rows(out / "shop/orders.csv") + pq.read_metadata(out / "pos/sales.parquet").num_rows
    events = pq.read_metadata(out / "app/events.parquet").num_rows
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    return {
        "customers": customers,
        "transactions": lines,
        "events": events,
        "seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_mb": round(peak),
        "files_mb": round(size / 1024**2),
    }


def _csv_rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=740_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(measure(args.out or Path(folder), args.customers, args.seed), indent=1) + "\n")


if __name__ == "__main__":
    main()
