"""custid's buy-till-you-die models beside those of lifetimes, on CDNOW's one-tenth sample, in one run.

    python benchmarks/btyd.py                          makes an environment for lifetimes, and keeps it
    python benchmarks/btyd.py --peer PYTHON            uses a Python that has lifetimes

Each fit is repeated and the median of the CPU time is told, the first apart, since it pays for what is loaded late.
Times of one run compare; those of two machines do not.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "cdnow"
KEPT = Path(__file__).resolve().parents[1] / "data" / "benchmarks" / "lifetimes"
NEEDS = ["lifetimes==0.11.3", "pandas<2", "numpy<1.24", "scipy<1.11"]
PARAMETERS = {
    "BG/NBD": ["r", "alpha", "a", "b"],
    "MBG/NBD": ["r", "alpha", "a", "b"],
    "Pareto/NBD": ["r", "alpha", "s", "beta"],
    "Gamma-Gamma": ["p", "q", "gamma"],
}


class Row(NamedTuple):
    """One model as one program fitted it; times in CPU seconds."""

    model: str
    program: str
    first: float
    median: float
    parameters: dict[str, float]
    warnings: int


def main() -> int:
    asked = argparse.ArgumentParser(description="custid's buy-till-you-die models beside those of lifetimes")
    asked.add_argument("--data", type=Path, default=DATA, help="folder of CDNOW_sample.txt and its published summary")
    asked.add_argument("--peer", type=Path, help="a Python that has lifetimes")
    asked.add_argument("--repeat", type=int, default=9, help="fits of each model")
    asked.add_argument("--fit-lifetimes", type=Path, help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.fit_lifetimes:
        print(json.dumps(of_lifetimes(read(options.fit_lifetimes), options.repeat)))
        return 0
    if not (options.data / "CDNOW_sample.txt").exists():
        print(f"Skipped: {options.data} has no CDNOW_sample.txt; name its folder with --data.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        counts = prepare(options.data, Path(folder) / "counts.csv")
        rows = of_custid(read(counts), options.repeat)
        peer = options.peer or environment(KEPT)
        rows += ask_peer(peer, counts, options.repeat) if peer else []
        show(rows, read(counts))
    return 0


def prepare(folder: Path, target: Path) -> Path:
    """The published counts in weeks, with the mean spend of the repeat purchases up to September 1997."""
    days: dict[int, dict[str, float]] = {}
    for line in (folder / "CDNOW_sample.txt").read_text().splitlines():
        _, customer, day, _, amount = line.split()
        if day < "19971001":
            spent = days.setdefault(int(customer), {})
            spent[day] = spent.get(day, 0.0) + float(amount)
    with (folder / "cdnow_customers_summary.csv").open() as source, target.open("w", newline="") as out:
        writer = csv.writer(out)
        for row in csv.DictReader(source):
            repeat = [spent for _, spent in sorted(days[int(row["ID"])].items())][1:]
            value = sum(repeat) / len(repeat) if repeat else 0.0
            writer.writerow([row["frequency"], row["recency"], row["T"], value])
    return target


def read(counts: Path) -> list[Any]:
    """Frequency, recency, age and value as arrays."""
    return list(np.loadtxt(counts, delimiter=",").T)


def timed(fit: Callable[[], Any], repeat: int) -> tuple[Any, float, float]:
    """What came of it, the CPU seconds of the first time and the median of the others."""
    seconds = []
    for _ in range(max(repeat, 2)):
        start = time.process_time()
        fitted = fit()
        seconds.append(time.process_time() - start)
    return fitted, seconds[0], statistics.median(seconds[1:])


def of_custid(columns: list[Any], repeat: int) -> list[Row]:
    from custid import __version__
    from custid.models.btyd import TRANSACTION_MODELS, GammaGamma, Histories

    x, recency, age, value = columns
    seen = Histories.of(x, recency, age)
    fits: dict[str, Callable[[], Any]] = {
        model.title: partial(model.fit, seen) for model in TRANSACTION_MODELS.values()
    }
    fits[GammaGamma.title] = partial(GammaGamma.fit, x, value)
    rows = []
    for title, fit in fits.items():
        fitted, first, median = timed(fit, repeat)
        found = {name: getattr(fitted, name) for name in PARAMETERS[title]}
        rows.append(Row(title, f"custid {__version__}", first, median, found, 0))
    return rows


def of_lifetimes(columns: list[Any], repeat: int) -> list[Row]:
    """The same by lifetimes; this part runs in its own environment."""
    import lifetimes

    x, recency, age, value = columns
    some = value > 0
    makers: dict[str, tuple[type[Any], list[Any]]] = {
        "BG/NBD": (lifetimes.BetaGeoFitter, [x, recency, age]),
        "MBG/NBD": (lifetimes.ModifiedBetaGeoFitter, [x, recency, age]),
        "Pareto/NBD": (lifetimes.ParetoNBDFitter, [x, recency, age]),
        "Gamma-Gamma": (lifetimes.GammaGammaFitter, [x[some], value[some]]),
    }
    rows = []
    for title, (maker, given) in makers.items():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            fitted, first, median = timed(partial(fit_lifetimes, maker, given), repeat)
        found = {name: float(fitted.params_["v" if name == "gamma" else name]) for name in PARAMETERS[title]}
        rows.append(Row(title, f"lifetimes {lifetimes.__version__}", first, median, found, len(told)))
    return rows


def fit_lifetimes(maker: type[Any], given: list[Any]) -> Any:
    return maker().fit(*given)


def environment(folder: Path) -> Path | None:
    """A Python with lifetimes, made in ``folder`` where there is none; None where it cannot be had."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and subprocess.run([python, "-c", "import lifetimes"], capture_output=True).returncode == 0:
        return python
    try:
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *NEEDS]
        subprocess.run(install, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
        print(f"lifetimes is left out: it could not be installed in {folder} ({last}); name a Python with --peer.")
        return None
    return python


def ask_peer(python: Path, counts: Path, repeat: int) -> list[Row]:
    command = [python, __file__, "--fit-lifetimes", counts, "--repeat", str(repeat)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        print(f"lifetimes is left out: {python} failed with {answer.stderr.strip().splitlines()[-1]}")
        return []
    return [Row(*values) for values in json.loads(answer.stdout)]


def log_likelihood(row: Row, columns: list[Any]) -> float:
    """Of all customers, worked out by the same formula whoever fitted."""
    from scipy.special import gammaln

    from custid.models.btyd import TRANSACTION_MODELS, Histories

    x, recency, age, value = columns
    for model in TRANSACTION_MODELS.values():
        if model.title == row.model:
            seen = Histories.of(x, recency, age)
            saved = {"model": model.kind, **row.parameters, "diagnostics": model.fit(seen).to_dict()["diagnostics"]}
            return float(model.from_dict(saved).log_likelihood(seen).sum())
    p, q, gamma = (row.parameters[name] for name in PARAMETERS[row.model])
    x, z = x[value > 0], value[value > 0]
    constant = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
    rest = (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(gamma + x * z)
    return float((constant + rest).sum())


def show(rows: list[Row], columns: list[Any]) -> None:
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, ", end="")
    print(f"Python {platform.python_version()}, {columns[0].size} customers\n")
    print("| model | program | first fit, CPU ms | median fit, CPU ms | log-likelihood | parameters | warnings |")
    print("|---|---|---|---|---|---|---|")
    order = list(PARAMETERS)
    for row in sorted(rows, key=lambda r: (order.index(r.model), r.program)):
        found = ", ".join(f"{name} {value:.3f}" for name, value in row.parameters.items())
        total = log_likelihood(row, columns)
        spent = f"{row.first * 1000:.1f} | {row.median * 1000:.1f}"
        print(f"| {row.model} | {row.program} | {spent} | {total:.2f} | {found} | {row.warnings} |")


if __name__ == "__main__":
    sys.exit(main())
