"""Who the customers are: tiers, lifecycle stages, segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .format import count, listing, money, share
from .words import stage_words, tier_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inputs import Inputs


_OTHERS = {"rfm": "groups of RFM points", "rfm_cells": "RFM cells"}


@dataclass(frozen=True)
class Group:
    """A group of customers: its share of customers and of value in percent, and its figures in words."""

    name: str
    about: str
    customers: str
    share_customers: float
    share_customers_text: str
    share_value: float
    share_value_text: str
    value: str
    churn: str


@dataclass(frozen=True)
class Grouping:
    """One way to part the customers; ``longest`` is the largest share in percent that a bar shows."""

    key: str
    title: str
    about: str
    groups: tuple[Group, ...]
    longest: float
    has_value: bool
    has_churn: bool


def who(inputs: Inputs) -> tuple[Grouping, ...]:
    """The groupings that the profiles have."""
    found = [
        _grouping(inputs, "tier", "By tier", "How much they matter.", tier_words(inputs.config)),
        _grouping(inputs, "lifecycle", "By stage of life", "Where they stand with you.", _stages(inputs)),
    ]
    if inputs.has("segment"):
        about = (
            "Groups of customers whose next months are alike, found in the data and named for what they did so far."
            + _tested(inputs)
        )
        found.append(_grouping(inputs, "segment", "By segment", about, _segments(inputs)))
    return tuple(found)


def _stages(inputs: Inputs) -> dict[str, tuple[str, str]]:
    """The stages in words; without a history nobody is told to be new or dormant."""
    past = ("new", "dormant")
    return {k: words for k, words in stage_words(inputs.config).items() if inputs.has_history or k not in past}


def _tested(inputs: Inputs) -> str:
    """How far the segments stay the same when customers are drawn anew, and what they tell, if that was measured."""
    block = inputs.metrics.get("segments", {})
    told, sizes = block.get("model", {}), block.get("groups", {})
    stable, ours = _value(told, "stability"), _value(told, "churn_explained")
    said = ""
    if stable is not None:
        said += f" Found again in customers drawn anew, they agree to {stable:.2f}; 1 is complete agreement."
    others = []
    for key, name in _OTHERS.items():
        theirs = _value(block.get("baselines", {}).get(key, {}), "churn_explained")
        if theirs is not None:
            number = f"the {sizes[key]} " if key in sizes else ""
            others.append(f"{number}{name} for {theirs:.0%}")
    if ours is not None and others:
        said += f" They account for {ours:.0%} of who left later; {listing(others)}: recency, frequency and spend in"
        said += " fifths, added up or combined."
    return said


def _value(figures: Mapping[str, Any], name: str) -> float | None:
    return (figures.get(name) or {}).get("value")


def _segments(inputs: Inputs) -> dict[str, tuple[str, str]]:
    """The segments that occur, those that promise most first, with a line about each where there is one.

    Where nothing was written of them, the most frequent come first (ties by name).
    """
    lines = inputs.metrics.get("segments", {}).get("about", {})
    place = {name: number for number, name in enumerate(lines)}
    names, sizes = np.unique(inputs.columns["segment"].astype(str), return_counts=True)
    order = sorted(range(len(names)), key=lambda i: (place.get(names[i], len(place)), -sizes[i], names[i]))
    return {str(names[i]): (str(names[i]), lines.get(names[i]) or _typical(inputs, names[i])) for i in order}


def _typical(inputs: Inputs, segment: str) -> str:
    """What the middle customer of a segment is like, if the facts are known."""
    if not inputs.has("purchases", "spend_mean", "days_since_last"):
        return ""
    inside = inputs.columns["segment"] == segment
    facts = [inputs.columns[name][inside] for name in ("purchases", "spend_mean", "days_since_last")]
    known = [float(np.median(values[np.isfinite(values)])) for values in facts if np.isfinite(values).any()]
    if len(known) < len(facts):
        return ""
    times = "1 purchase" if round(known[0]) == 1 else f"{count(known[0])} purchases"
    return f"typically {times} of {money(known[1], inputs.currency)}, the last {count(known[2])} days ago"


def _grouping(inputs: Inputs, key: str, title: str, about: str, words: Mapping[str, tuple[str, str]]) -> Grouping:
    labels = inputs.columns[key]
    value = inputs.value() if inputs.has("expected_value") else None
    churn = inputs.columns.get("p_churn")
    total = float(value.sum()) if value is not None else 0.0
    groups = []
    for label, (name, meaning) in words.items():
        inside = labels == label
        size = int(inside.sum())
        held = float(value[inside].sum()) if value is not None else 0.0
        part, worth = size / inputs.count, held / total if total else 0.0
        groups.append(
            Group(
                name,
                meaning,
                count(size),
                100 * part,
                share(part),
                100 * worth,
                share(worth),
                money(held / size, inputs.currency) if size else "–",
                share(float(churn[inside].mean())) if churn is not None and size else "–",
            )
        )
    longest = max(max(g.share_customers, g.share_value) for g in groups)
    return Grouping(key, title, about, tuple(groups), longest, value is not None, churn is not None)
