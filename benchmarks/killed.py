"""Kill a run at ten moments, spread over its length, and compare its scores with those of a run that was not killed.

    python benchmarks/killed.py [configs/online_retail.yaml] [--set key=value ...] [--kills 10]

The same workspace is taken up again after each kill. Prints one line per kill and whether the scores agree to the bit.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq


def start(config: str, workspace: Path, sets: list[str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "custid", "run", config, "--workspace", str(workspace)]
    for pair in sets:
        words += ["--set", pair]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)


def finish(process: subprocess.Popen[bytes]) -> None:
    if process.wait() != 0:
        sys.exit(f"the run ended with exit code {process.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", default="data/demo/custid.yaml", help="the demo's without")
    parser.add_argument("--set", action="append", default=[], dest="sets")
    parser.add_argument("--kills", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder, "whole"), Path(folder, "broken")
        began = time.monotonic()
        finish(start(asked.config, whole, asked.sets))
        length = time.monotonic() - began
        print(f"not killed: {length:.1f} s")
        for i in range(asked.kills):
            process = start(asked.config, broken, asked.sets)
            moment = length * (i + 1) / (asked.kills + 1)
            try:
                process.wait(moment / 2 if i else moment)
                print(f"kill {i + 1:2d}: the run had ended before its moment")
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                left = sorted(p.name for p in broken.iterdir() if not p.name.startswith("."))
                print(f"kill {i + 1:2d}: there were {', '.join(left)}")
        finish(start(asked.config, broken, asked.sets))
        ours, theirs = (pq.read_table(w / "scores.parquet").drop(["release"]) for w in (broken, whole))
        print("the same scores, to the bit" if ours.equals(theirs) else "THE SCORES DIFFER")
        sys.exit(0 if ours.equals(theirs) else 1)


if __name__ == "__main__":
    main()
