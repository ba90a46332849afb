"""Time and peak memory of a whole run, of a second one on unchanged inputs, and of the help page.

    python benchmarks/whole_run.py configs/online_retail.yaml [--set key=value ...]

Without a config it runs the demo's simulated customers. Memory is the largest resident set of the process.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path


def measure(words: list[str]) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of processor time, and peak MiB of a command."""
    began = time.monotonic()
    child = os.posix_spawn(sys.executable, [sys.executable, "-m", "custid", *words], os.environ)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"custid {' '.join(words)} failed")
    scale = 1024 if sys.platform == "linux" else 1024**2
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?")
    parser.add_argument("--set", action="append", default=[], dest="sets")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sets = [word for pair in asked.sets for word in ("--set", pair)]
        run = ["run", asked.config, "--workspace", str(Path(folder, "ws")), *sets] if asked.config else []
        words = run or ["demo", "--workspace", folder, *sets]
        print(f"{'':12s}{'wall s':>9s}{'cpu s':>9s}{'MiB':>9s}")
        for name, command in (("help", ["--help"]), ("first run", words), ("second run", words)):
            wall, cpu, memory = measure(command)
            print(f"{name:12s}{wall:9.2f}{cpu:9.2f}{memory:9.0f}", flush=True)


if __name__ == "__main__":
    main()
