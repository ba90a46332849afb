"""The section of docs/benchmarks.md: tables of figures, and what custid wins and loses."""

from __future__ import annotations

import datetime
import os
import platform
from collections import Counter
from typing import TYPE_CHECKING

from judging import MEASURES, OURS, figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from cases import Case
    from judging import Standing

BEGIN, END = "<!-- peers: written by benchmarks/peers -->", "<!-- end of peers -->"
NAMES = {
    "bgnbd": "BG/NBD (lifetimes)",
    "paretonbd": "Pareto/NBD (lifetimes)",
    "recency": "recency",
    "rfm": "RFM quintiles",
    "past_spend": "past spend",
    "xgboost": "XGBoost defaults",
    "histgb": "HistGradientBoosting",
    "flaml": "FLAML",
    "autogluon": "AutoGluon",
    OURS: "**custid**",
}


def head(versions: Mapping[str, str], budget: float, left_out: Sequence[str]) -> list[str]:
    """The machine, the day, the programs, the protocol."""
    today = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    busy = f"{os.cpu_count()} cores with a load of {os.getloadavg()[1]:.0f}"
    machine = f"{platform.machine()}, {busy}, Python {platform.python_version()}"
    lines = [
        "## Peers",
        "",
        f"`python benchmarks/peers`, {today}, {machine}: {', '.join(sorted(set(versions.values())))}.",
        f"FLAML and AutoGluon (without its neural networks) have {budget:.0f} s a target. Every program sees the rows",
        "before `as_of`; the truth is the horizon after it, the customers those with a purchase before it. Those that",
        "learn have some 30 columns of recency, frequency and money of one earlier snapshot, the formulas four.",
        "Amounts are as they come, no code excluded. Of the rules only the order is measured.",
        "",
        "Better and worse: the 95 % interval of a paired bootstrap over customers lies on one side of 0. A positive",
        "difference is in custid's favour; that of the bias is of the distances from 1.",
        "",
    ]
    return lines + [f"- {reason}" for reason in left_out] + [""] * bool(left_out)


def section(
    case: Case, truth: pd.DataFrame, scores: Mapping[str, pd.DataFrame], found: Sequence[Standing],
    seconds: Mapping[str, float],
) -> list[str]:  # fmt: skip
    """One case: its figures and its standings."""
    lines = [
        f"### {case.name}: as of {case.as_of}, {case.days} days",
        "",
        f"{len(truth):,} customers, {truth.churned.mean():.1%} of them churned.",
        "",
        f"| | {' | '.join(m.title for m in MEASURES)} | CPU s |",
        f"|---|{'---|' * len(MEASURES)}---|",
    ]
    reached = figures(truth, scores)
    for system in sorted(scores, key=list(NAMES).index):
        cells = [_text(m.title, reached[system].get(m.title)) for m in MEASURES]
        spent = f"{seconds[system]:.0f}" if system in seconds else "-"
        lines.append(f"| {NAMES[system]} | {' | '.join(cells)} | {spent} |")
    lines += [
        "",
        "| measure | best of the others | its value | custid | difference, 95 % | |",
        "|---|---|---|---|---|---|",
    ]
    for each in found:
        name = each.measure.title
        values = f"{_text(name, each.theirs)} | {_text(name, each.ours)}"
        between = f"{_text(name, each.low, sign=True)} to {_text(name, each.high, sign=True)}"
        lines.append(f"| {name} | {NAMES[each.rival]} | {values} | {between} | {each.word} |")
    counts = Counter(each.word for each in found)
    told = ", ".join(f"{word} by {counts[word]}" for word in ("better", "level", "worse"))
    return [*lines, "", f"Beside the best of the others by each measure, custid is {told}.", ""]


def write(page: Path, lines: Sequence[str]) -> None:
    """Put the section into a page, in place of the one that is there."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    body = "\n".join([BEGIN, "", *lines]).rstrip() + f"\n\n{END}\n"
    if BEGIN in text:
        before, rest = text.split(BEGIN, 1)
        text = before + body + rest.split(END, 1)[1].lstrip("\n")
    else:
        text = text.rstrip() + "\n\n" + body
    page.write_text(text, encoding="utf-8", newline="\n")


def _text(name: str, value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "-"
    digits = 1 if name == "MAE" else 3
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
