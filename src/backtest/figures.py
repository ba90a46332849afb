"""What the page draws, from ``backtest.json``: figures by origin, pooled rows, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..metrics import SMALLER_IS_BETTER
from ..report.charts import Mark, Plot, Tick, axis, path, shares
from ..report.format import count, share
from ..report.sure import GUESS, writer
from ..report.words import BASELINES, MEASURES, SHOWN, Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_APART = 14.0  # between the model's place and the best baseline's, in percent of an origin's width


@dataclass(frozen=True)
class Reached:
    """A figure at an origin: places in percent of the plot, and its words; ``kind`` is ours, best or other."""

    x: float
    at: float
    low: float
    high: float
    text: str
    kind: str


@dataclass(frozen=True)
class ByOrigin:
    """One measure over the origins: the model, its best baseline, and the others as faint dots."""

    title: str
    about: str
    best: str
    ticks: tuple[Tick, ...]
    origins: tuple[Tick, ...]
    reached: tuple[Reached, ...]
    line: str


@dataclass(frozen=True)
class Row:
    """A measure pooled over origins: ours, the best baseline's, the difference, and how the model stands."""

    name: str
    ours: str
    best: str
    theirs: str
    gap: str
    standing: str


def shown(task: str, told: Mapping[str, Any]) -> list[str]:
    """The metrics of a task that are drawn, the headline first; those that are defined at no origin are not."""
    model = told["pooled"]["model"]
    wanted = SHOWN.get(task, (told["headline"],))
    return [name for name in wanted if model.get(name, {}).get("value") is not None]


def measure_of(name: str) -> Measure:
    """How a metric is spoken of; by its own name where there are no words for it."""
    better: Any = "lower" if name in SMALLER_IS_BETTER else "higher"
    return MEASURES.get(name) or Measure(name.replace("_", " "), "", better, "decimal", name)


def by_origin(told: Mapping[str, Any], name: str, currency: str | None) -> ByOrigin:
    """One measure of a task over its origins."""
    measure, best = measure_of(name), best_baseline(told["pooled"], name)
    text = writer(measure, currency)
    blocks = told["origins"]
    width = 100 / len(blocks)
    points = [
        ((i + 0.5) * width + shift * width / 100, each, kind)
        for i, block in enumerate(blocks.values())
        for kind, shift, each in _estimates(block, name, best)
    ]
    ends = [value for _, each, _ in points for value in (each["value"], each["low"], each["high"]) if value is not None]
    ticks, place = axis(min(ends), max(ends), text)
    reached = tuple(
        Reached(
            round(x, 3),
            place(each["value"]),
            place(_end(each, "low")),
            place(_end(each, "high")),
            text(each["value"]),
            kind,
        )
        for x, each, kind in points
    )
    ours = [(each.x / 100, each.at / 100) for each in reached if each.kind == "ours"]
    better = {"higher": "higher is better", "lower": "lower is better", "near 1": "1 is exact"}[measure.better]
    days = tuple(Tick(round((i + 0.5) * width, 3), day) for i, day in enumerate(blocks))
    about = f"{measure.about} ({measure.initials}; {better})".strip()
    return ByOrigin(
        measure.title, about, _called(best), ticks, days, tuple(reached), path(ours) if len(ours) > 1 else ""
    )


def _estimates(block: Mapping[str, Any], name: str, best: str) -> Iterator[tuple[str, float, Mapping[str, Any]]]:
    ours = block["model"].get(name)
    if ours and ours["value"] is not None:
        yield "ours", -_APART / 2, ours
    for who, figures in block["baselines"].items():
        each = figures.get(name)
        if each and each["value"] is not None and (who != GUESS or who == best):
            yield ("best", _APART / 2, each) if who == best else ("other", _APART * 1.5, each)


def _end(estimate: Mapping[str, Any], name: str) -> float:
    return float(estimate["value"] if estimate[name] is None else estimate[name])


def best_baseline(pooled: Mapping[str, Any], name: str) -> str:
    """The baseline that the model is least ahead of by a metric; empty where none is measured by it."""
    sign = 1.0 if measure_of(name).better == "higher" else -1.0
    gaps = {who: block[name]["value"] for who, block in pooled["differences"].items() if name in block}
    known = {who: sign * gap for who, gap in gaps.items() if gap is not None}
    return min(known, key=lambda who: (known[who], who), default="")


def rows(task: str, told: Mapping[str, Any], currency: str | None) -> tuple[Row, ...]:
    """Every metric of a task, pooled."""
    drawn = set(shown(task, told))
    return tuple(
        _row(told["pooled"], n, n in drawn, currency) for n in told["pooled"]["model"] if not n.startswith("coverage")
    )


def _row(pooled: Mapping[str, Any], name: str, drawn: bool, currency: str | None) -> Row:
    measure, best = measure_of(name), best_baseline(pooled, name)
    text = writer(measure, currency)
    spoken = drawn and measure.title != measure.initials
    title = f"{measure.title} ({measure.initials})" if spoken else measure.initials
    ours = _ranged(pooled["model"][name], text)
    if not best:
        return Row(title, ours, "", "", "", "level")
    gap = pooled["differences"][best][name]
    standing = _standing(gap, measure.better == "higher")
    signed = _ranged(gap, lambda value: ("+" if value >= 0 else "-") + text(abs(value)))
    return Row(title, ours, _called(best), text(pooled["baselines"][best][name]["value"]), signed, standing)


def _standing(gap: Mapping[str, Any], more: bool) -> str:
    if gap["low"] is None:
        return "level"
    low, high = (gap["low"], gap["high"]) if more else (-gap["high"], -gap["low"])
    return "ahead" if low > 0 else "behind" if high < 0 else "level"


def _ranged(estimate: Mapping[str, Any], text: Any) -> str:
    if estimate["value"] is None:
        return "–"
    if estimate["low"] is None:
        return str(text(estimate["value"]))
    return f"{text(estimate['value'])} ({text(estimate['low'])} to {text(estimate['high'])})"


def _called(baseline: str) -> str:
    return BASELINES.get(baseline, baseline)


def calibration(told: Mapping[str, Any]) -> tuple[tuple[str, Plot], ...]:
    """Stated against observed chances, a plot per origin; none for tasks that state no chance."""
    if told["link"] != "logit":
        return ()
    found = ((day, block["curves"].get("reliability")) for day, block in told["origins"].items())
    return tuple((day, _reliability(points)) for day, points in found if points)


def _reliability(points: Sequence[tuple[float, float, int]]) -> Plot:
    ticks = shares((0, 0.5, 1))
    total = sum(n for *_, n in points)
    off = sum(abs(stated - seen) * n for stated, seen, n in points) / total
    line = path([(stated, seen) for stated, seen, _ in points]) if len(points) > 1 else ""
    marks = tuple(Mark(100 * stated, 100 * seen, "") for stated, seen, _ in points)
    diagonal = path([(0, 0), (1, 1)])
    return Plot(line, "", diagonal, ticks, ticks, "stated", "happened", marks, f"{share(off)} apart on average")


def levels(told: Mapping[str, Any], currency: str | None) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """A table by origin: how many customers, what was stated in all and what came, how often the interval held it."""
    names = {
        "ece": "off on average (ECE)",
        "bias": "forecast / true total",
        "coverage": "held by the interval",
        "coverage_top_10": "of the highest tenth",
    }
    known = [name for name in names if name in told["pooled"]["model"]]
    head = ("origin", "customers", "days ahead", "days learnt", *(names[name] for name in known), "chosen")
    text = {name: share if name != "bias" else writer(measure_of(name), currency) for name in known}
    body = tuple(
        (
            day,
            count(block["n"]),
            str(block["horizon_days"]),
            str(block["learnt_days"]),
            *(_ranged(block["model"][name], text[name]) for name in known),
            block["chosen"],
        )
        for day, block in told["origins"].items()
    )
    return head, body
