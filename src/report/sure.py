"""How sure: the models against every baseline, on customers and days that they had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .charts import Dot, DotPlot, Mark, Plot, axis, path, shares
from .format import count, decimal, listing, money, share
from .words import BASELINES, MEASURES, SHOWN, TASKS, Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .inputs import Inputs


GUESS = "prior"
"""The baseline that says the same of everyone."""

Standing = Literal["ahead", "level", "behind"]
"""How a model stands to the best baseline."""


@dataclass(frozen=True)
class Verdict:
    """What the test says of one task: how it stands to the baselines, in a sentence, and the plots."""

    task: str
    title: str
    sentence: str
    standing: Standing
    test: str
    plots: tuple[DotPlot, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sure:
    """All verdicts, the calibration curve of the churn probabilities, and how often the interval held the truth."""

    verdicts: tuple[Verdict, ...]
    calibration: Plot | None
    coverage: str
    untested: str


def sure(inputs: Inputs) -> Sure | None:
    """The section's figures; None where no model was tested."""
    tested = [task for task in SHOWN if inputs.metrics.get(task, {}).get("model")]
    if not tested:
        return None
    rest = [TASKS[t].lower() for t in inputs.config.tasks if t in SHOWN and t not in tested]
    return Sure(
        tuple(_verdict(task, inputs.metrics[task], inputs) for task in tested),
        _calibration(inputs.metrics.get("churn", {})),
        _coverage(inputs),
        f"Not tested: {listing(rest)}." if rest else "",
    )


def _verdict(task: str, found: Mapping[str, Any], inputs: Inputs) -> Verdict:
    names = [n for n in SHOWN[task] if _is_known(found["model"].get(n))]
    standing: Standing = "level"
    sentence = "Nothing could be measured: the test had customers of one kind only."
    if names:
        standing, sentence = judge(found, names[0])
        sentence += _elsewhere(found, names[1:])
    test = f"Tested on {count(found['n'])} customers as they stood on {found['snapshot']}"
    if found.get("horizon_days"):
        test += f", against what they did in the {found['horizon_days']} days after"
    notes = tuple(str(note) for note in found.get("notes", ()) if not note.startswith(tuple(_SAID)))
    plots = tuple(dot_plot(found, name, inputs.currency) for name in names)
    return Verdict(task, TASKS[task], sentence, standing, test + ".", plots, notes)


def judge(found: Mapping[str, Any], name: str) -> tuple[Standing, str]:
    """How the model stands to the best baseline by a measure, and the sentence that says so.

    The test's own word goes first (its notes rest on paired differences, customer by customer); without one, the model
    is ahead or behind where the intervals lie apart.

    Parameters
    ----------
    found
        ``{"model": {name: {"value", "low", "high"}}, "baselines": {baseline: {name: {...}}}, "notes": [...]}``.
    name
        A key of :data:`~custid.report.words.MEASURES`.

    Examples
    --------
    >>> estimate = {"value": 0.8, "low": 0.79, "high": 0.81}
    >>> rival = {"value": 0.7, "low": 0.69, "high": 0.71}
    >>> judge({"model": {"auc": estimate}, "baselines": {"recency": {"auc": rival}}}, "auc")
    ('ahead', 'The model beats every baseline; the best of them is: who bought last.')
    """
    rivals = _rivals(found, name)
    if not rivals:
        return "level", "There is no baseline to compare with."
    best = rivals[0][0]
    standing = _apart(found, name)
    standing = next((_SAID[start] for start in _SAID for n in found.get("notes", ()) if n.startswith(start)), standing)
    return standing, _SENTENCES[standing].format(BASELINES.get(best, best))


def _apart(found: Mapping[str, Any], name: str) -> Standing:
    """How the model stands to the best baseline by the intervals alone; level where they overlap."""
    rivals = _rivals(found, name)
    if not rivals:
        return "level"
    ours, theirs = (_off(estimate, MEASURES[name]) for estimate in (found["model"][name], rivals[0][1]))
    return "ahead" if max(ours) < min(theirs) else "behind" if min(ours) > max(theirs) else "level"


def _elsewhere(found: Mapping[str, Any], names: list[str]) -> str:
    """A sentence that names the other measures by which a baseline is better, if there are any."""
    behind = [MEASURES[name].title.lower() for name in names if _apart(found, name) == "behind"]
    return f" A baseline is better by: {listing(behind)}." if behind else ""


_SAID: dict[str, Standing] = {
    "The model beats every baseline": "ahead",
    "The model is level with": "level",
    "The model does not beat": "behind",
}
_SENTENCES: dict[Standing, str] = {
    "ahead": "The model beats every baseline; the best of them is: {}.",
    "level": "The model is level with the best baseline ({}): the difference may be chance.",
    "behind": "The model does not beat the best baseline ({}): rather trust that one.",
}


def _badness(measure: Measure, value: float) -> float:
    """A number that is the smaller the better a measure's value is."""
    return -value if measure.better == "higher" else value if measure.better == "lower" else abs(value - 1)


def _off(estimate: Mapping[str, Any], measure: Measure) -> tuple[float, float]:
    """How bad the two ends of an interval are."""
    return _badness(measure, _end(estimate, "low")), _badness(measure, _end(estimate, "high"))


def _end(estimate: Mapping[str, Any], name: str) -> float:
    """An end of an interval, or the estimate itself where it has none."""
    return float(estimate["value"] if estimate.get(name) is None else estimate[name])


def _rivals(found: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The baselines that have this measure, the best first (ties by name)."""
    measured = {k: b[name] for k, b in found.get("baselines", {}).items() if _is_known(b.get(name))}
    return sorted(measured.items(), key=lambda item: (_badness(MEASURES[name], item[1]["value"]), item[0]))


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_known(estimate: Mapping[str, Any] | None) -> bool:
    return estimate is not None and estimate.get("value") is not None


def dot_plot(found: Mapping[str, Any], name: str, currency: str | None) -> DotPlot:
    """The model and the baselines by one measure, ours first, then from good to bad.

    Where more is better, the average for everyone is what guessing gives: it is told, not drawn.
    """
    measure = MEASURES[name]
    guess = next((e for k, e in _rivals(found, name) if k == GUESS and measure.better == "higher"), None)
    drawn = [(k, e) for k, e in _rivals(found, name) if e is not guess]
    rows = [("custid", found["model"][name], True), *((_first_up(BASELINES.get(k, k)), e, False) for k, e in drawn)]
    text = writer(measure, currency)
    ends = [_end(estimate, end) for _, estimate, _ in rows for end in ("low", "high")]
    ticks, place = axis(min(ends), max(ends), text)
    dots = tuple(
        Dot(label, place(e["value"]), place(_end(e, "low")), place(_end(e, "high")), text(e["value"]), ours)
        for label, e, ours in rows
    )
    better = {"higher": "further right is better", "lower": "further left is better", "near 1": "1 is exact"}
    told = f" Guessing gives {text(guess['value'])}." if guess else ""
    about = f"{measure.about}{told} ({measure.initials})"
    return DotPlot(measure.title, about, better[measure.better], dots, ticks)


def writer(measure: Measure, currency: str | None) -> Callable[[float], str]:
    """What writes the values of a measure."""
    if measure.kind == "share":
        return lambda value: f"{100 * value:.1f}%".replace(".0%", "%")
    if measure.kind == "money":
        return lambda value: money(value, currency)
    if measure.kind == "times":
        return lambda value: f"{value:.2f}"
    return lambda value: decimal(value).rstrip("0").rstrip(".") or "0"


def _calibration(found: Mapping[str, Any]) -> Plot | None:
    """Stated against observed churn, from ``curves.reliability``: rows of (stated, observed, customers)."""
    points = [p for p in found.get("curves", {}).get("reliability", ()) if p[2]]
    if not points:
        return None
    total = sum(n for _, _, n in points)
    off = sum(abs(stated - seen) * n for stated, seen, n in points) / total
    return Plot(
        path([(stated, seen) for stated, seen, _ in points]),
        "",
        path([(0, 0), (1, 1)]),
        shares((0, 0.25, 0.5, 0.75, 1)),
        shares((0, 0.25, 0.5, 0.75, 1)),
        "chance of leaving that the model stated",
        "share who left",
        tuple(Mark(100 * x, 100 * y, "") for x, y, _ in points),
        f"On average the stated chance is {share(off)} away from what happened; the thin line is where it should lie.",
    )


def _coverage(inputs: Inputs) -> str:
    """How often the stated interval of the expected spend held the truth, if that was measured."""
    seen = inputs.metrics.get("clv", {}).get("model", {}).get("coverage")
    if not _is_known(seen) or not inputs.has("expected_value_low"):
        return ""
    meant = share(inputs.config.clv.coverage)
    return (
        f"The range beside each expected spend is meant to hold the truth for {meant} of customers. "
        f"On the test period it did for {share(seen['value'])}."
    )
