"""From the parts of a score to reasons in words.

A model's score is, on its own link (log-odds, logarithm or as it is), a base plus one contribution per feature. Here
these become reasons: the few largest, each with the value beside its usual range, then everything else, then the base,
so that the contributions of one task's reasons add up to the score. Nothing here knows a model, a table or a file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REST = "everything else"
BASE = "base"

SPOKEN = ("days", "seconds", "years")  # the units that are said after the number, unless the feature's name says them

EFFECTS = {
    "high_value": "the chance of high spend",
    "clv": "the expected spend",
    "churn": "the chance of leaving",
    "intent": "the chance of a purchase soon",
    "segments": "the fit to the segment",
    "risk": "how unusual this looks",
    "prospects": "the chance of a first purchase",
    "uplift": "what contact changes",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a score is what it is, in part.

    ``contribution`` is on the score's link: the contributions of all reasons of one task and customer sum to
    ``link(score)``. ``low`` and ``high`` bound the usual range (10 to 90 % of the training rows). ``value``, ``low``
    and ``high`` are None where there is no number: an unknown value, a category (the text says which), a formula.
    """

    task: str
    feature: str
    text: str
    value: float | None
    low: float | None
    high: float | None
    contribution: float


class Parts(Protocol):
    """What a model says about the scores of n customers: ``base`` (n,), ``names`` (k) and ``values`` (n, k)."""

    @property
    def base(self) -> np.ndarray:
        """Where each customer's score starts, on the link."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns of ``values`` belong to."""

    @property
    def values(self) -> np.ndarray:
        """What each feature adds to each customer's score, on the link."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a feature is spoken of: what it is, and its unit ("days", "share", ...; empty for a plain number)."""

    about: str
    unit: str = ""


def reasons(
    task: str,
    parts: Parts,
    columns: Mapping[str, Sequence[object]],
    usual: Mapping[str, tuple[float, float, float]],
    words: Mapping[str, Wording],
    most: int,
) -> list[list[Reason]]:
    """The reasons of each customer's score of one task, the largest first.

    Parameters
    ----------
    task
        What was predicted.
    parts
        Base and contributions of n customers on the score's link.
    columns
        The features' values, n of each; contributions without a column (a formula's) are told by their name.
    usual
        Per feature, what 10, 50 and 90 % of the training rows lie below.
    words
        Per feature, how it is spoken of.
    most
        How many features are named; the others are summed up as :data:`REST`.

    Returns
    -------
    list
        Per customer: up to ``most`` features by the size of their contribution (ties by name), the rest if there is
        any, and the base. Contributions sum to the score on its link.

    Examples
    --------
    >>> class Two:
    ...     base, names, values = np.array([0.5]), ("days_since_last", "formula"), np.array([[1.25, -0.25]])
    >>> words = {"days_since_last": Wording("days since the last purchase", "days")}
    >>> found = reasons("churn", Two, {"days_since_last": [212.0]}, {"days_since_last": (8, 30, 95)}, words, 1)
    >>> found[0][0].text
    'Days since the last purchase: 212, usually 8 to 95 - raises the chance of leaving'
    >>> [(reason.feature, reason.contribution) for reason in found[0]]
    [('days_since_last', 1.25), ('everything else', -0.25), ('base', 0.5)]
    """
    names, by_name = parts.names, sorted(range(len(parts.names)), key=lambda i: parts.names[i])
    known = {name: (float(ends[0]), float(ends[2])) for name, ends in usual.items()}
    out = []
    for row, (base, values) in enumerate(zip(parts.base.tolist(), parts.values.tolist(), strict=True)):
        order = sorted((i for i in by_name if values[i]), key=lambda i: -abs(values[i]))
        told = [_reason(task, names[i], values[i], _value(columns, names[i], row), known, words) for i in order[:most]]
        if order[most:]:
            told.append(_sum_up(task, base, values, [values[i] for i in order[:most]]))
        out.append([*told, Reason(task, BASE, "Where every customer starts", None, None, None, base)])
    return out


def importance(parts: Parts) -> dict[str, float]:
    """The mean size of each feature's contribution over the customers, largest first (ties by name).

    >>> class Two:
    ...     base, names, values = np.zeros(2), ("a", "b"), np.array([[1.0, -2.0], [-1.0, 4.0]])
    >>> importance(Two)
    {'b': 3.0, 'a': 1.0}
    """
    if not len(parts.values):
        return dict.fromkeys(sorted(parts.names), 0.0)
    sizes = np.abs(parts.values).mean(axis=0).tolist()
    return dict(sorted(zip(parts.names, sizes, strict=True), key=lambda item: (-item[1], item[0])))


_NO_FEATURES = {"formula": Wording("buying rhythm (formula)")}


class _Nothing:
    """Stands for the value of what is no feature."""


_NOTHING = _Nothing()


def _value(columns: Mapping[str, Sequence[object]], name: str, row: int) -> object:
    return columns[name][row] if name in columns else _NOTHING


def _sum_up(task: str, base: float, values: list[float], told: list[float]) -> Reason:
    rest = math.fsum([base, *values]) - math.fsum([base, *told])
    return Reason(task, REST, f"Everything else - {_effect(task, rest)}", None, None, None, rest)


def _reason(
    task: str,
    name: str,
    contribution: float,
    value: object,
    usual: Mapping[str, tuple[float, float]],
    words: Mapping[str, Wording],
) -> Reason:
    wording = words.get(name) or _NO_FEATURES.get(name) or Wording(name.replace("_", " "))
    about = wording.about.rstrip(". ")
    about = about[:1].upper() + about[1:]
    effect = _effect(task, contribution)
    if value is _NOTHING:
        return Reason(task, name, f"{about} - {effect}", None, None, None, contribution)
    number = float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    low, high = usual.get(name, (math.nan, math.nan))
    ranged = math.isfinite(low) and math.isfinite(high) and not isinstance(value, str) and wording.unit != "flag"
    shown = _figure(number, wording.unit) if number is not None else value if isinstance(value, str) else "unknown"
    said = number is not None and wording.unit in SPOKEN and wording.unit not in about.lower()
    usually = f", usually {_range(low, high, wording.unit)}" if ranged else ""
    text = f"{about}: {shown}{f' {wording.unit}' if said else ''}{usually} - {effect}"
    return Reason(task, name, text, number, low if ranged else None, high if ranged else None, contribution)


def _effect(task: str, contribution: float) -> str:
    what = EFFECTS.get(task, f"the score of {task}")
    return f"{'raises' if contribution > 0 else 'lowers' if contribution < 0 else 'does not change'} {what}"


def _range(low: float, high: float, unit: str) -> str:
    ends = _figure(low, unit), _figure(high, unit)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _figure(value: float, unit: str = "") -> str:
    """A number as people write it: three digits that count, thousands apart, shares in per cent.

    >>> [_figure(x) for x in (212.4, 0.03456, 12.0, 12.34, 1234567.8, -0.0)]
    ['212', '0.0346', '12', '12.3', '1,234,568', '0']
    >>> _figure(0.125, "share"), _figure(1.0, "flag")
    ('12.5 %', 'yes')
    """
    if unit == "flag":
        return "yes" if value else "no"
    if unit == "share":
        return f"{_figure(value * 100)} %"
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{round(value):,}"
    digits = max(0, 2 - math.floor(math.log10(size)))
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") or "0"
