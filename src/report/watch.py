"""Whom to watch this week: who will buy within days, and whose behaviour is unlike anyone's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .format import count, share
from .leaving import Column, histogram
from .people import Person, falling, people

if TYPE_CHECKING:
    from .charts import Tick
    from .inputs import Inputs

ROWS = 10
ODD = 0.99
"""From this risk on, a customer counts as behaving oddly: more so than 99 of 100 on a normal day."""


@dataclass(frozen=True)
class Watched:
    """A score in a sentence, its spread over the customers, and the customers who have most of it."""

    sentence: str
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    rows: tuple[Person, ...]


def soon(inputs: Inputs) -> Watched | None:
    """Who will buy within days; None where that was not predicted."""
    if not inputs.has("p_intent"):
        return None
    chance = inputs.columns["p_intent"]
    first = falling(inputs, chance)
    tenth = max(1, round(inputs.count / 10))
    held = float(chance[first[:tenth]].sum()) / (float(chance.sum()) or 1.0)
    days = inputs.config.intent.horizon.days
    sentence = (
        f"About {count(float(chance.sum()))} of {count(inputs.count)} customers are expected to buy within the next "
        f"{days} day{'' if days == 1 else 's'}; {share(held)} of them among the likeliest tenth."
    )
    return Watched(sentence, *histogram(chance), people(inputs, first[:ROWS], ("intent",)))


def odd(inputs: Inputs) -> Watched | None:
    """Who behaves oddly; None where that was not looked for."""
    if not inputs.has("risk"):
        return None
    risk = inputs.columns["risk"]
    found = int((risk >= ODD).sum())
    sentence = (
        f"{count(found)} of {count(inputs.count)} customers ({share(found / inputs.count)}) behave less usually, "
        f"against their own past and against everyone's, than {share(ODD)} of customers do on a normal day. That is a "
        "reason to look, not a verdict."
    )
    return Watched(sentence, *histogram(risk), people(inputs, falling(inputs, risk)[:ROWS], ("risk",)))
