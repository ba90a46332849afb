"""The buying rhythm: a buy-till-you-die formula on its clock, with its parameters, as one member of a blend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import TooFewCustomersError
from ..btyd import TRANSACTION_MODELS, Clock, GammaGamma, Histories, TransactionModel
from .contributions import logit
from .encoder import day_numbers, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

COLUMNS = ("repeat_days", "recency_span", "age", "spend_repeat_mean")
"""The features that a rhythm reads."""
PENALTY = 1.0
_LEAST_VALUE = 1e-6  # of the mean spend: keeps logarithms finite
_LEAST_KEPT = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What a rhythm sees of n customers.

    Attributes:
        repeats: days with a purchase after the first.
        span, age: days from the first of all to the last, and to the day of looking.
        now: the day of looking, since 1970; NaN where the rows do not say.
        spend: the mean spend of their repeat purchases.
    """

    repeats: FloatArray
    span: FloatArray
    age: FloatArray
    now: FloatArray
    spend: FloatArray

    @classmethod
    def of(cls, features: pa.Table) -> Past:
        """From a table of features; who has no purchase (a subscriber, say) has an empty history."""
        x, span, age = (np.maximum(numbers(features, name, 0.0), 0.0) for name in COLUMNS[:3])
        x = np.floor(x)
        span = np.where(x > 0, np.minimum(span, age), 0.0)
        return cls(x, span, age, day_numbers(features), numbers(features, COLUMNS[3], 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Rhythm:
    """A fitted formula: how many purchases, and how much for each.

    Attributes:
        buying: BG/NBD, MBG/NBD or Pareto/NBD, in the time of the clock.
        spending: Gamma-Gamma; without enough repeat spend, everyone's purchases are worth ``mean_spend``.
        mean_spend: mean spend of a purchase.
        kept: the share of what is bought that is not returned.
        clock: how fast the time of purchases goes.
        day: the day that it was fitted on, since 1970: where rows that do not say stand.
    """

    buying: TransactionModel
    spending: GammaGamma | None
    mean_spend: float
    kept: float
    clock: Clock
    day: float

    @classmethod
    def fit(cls, features: pa.Table, kinds: Iterable[str], clock: Clock | None = None) -> Rhythm | None:
        """The likeliest of several kinds on these customers; None where too few of them bought again, or could have.

        Without a clock, time is the calendar's.
        """
        if not {*COLUMNS} <= {*features.column_names}:
            return None
        past, clock = Past.of(features), clock or Clock.even()
        day = float(np.nan_to_num(past.now).max(initial=0.0))
        histories = _histories(past, clock, day)
        try:
            fitted = [TRANSACTION_MODELS[kind].fit(histories, penalty=PENALTY) for kind in kinds]
        except TooFewCustomersError:
            return None
        best = max(fitted, key=lambda model: model.diagnostics.log_likelihood)
        means = numbers(features, "spend_mean", 0.0)
        mean = float(means[means > 0].mean()) if (means > 0).any() else 1.0
        try:
            spending = GammaGamma.fit(past.repeats, past.spend, penalty=PENALTY)
        except TooFewCustomersError:
            spending = None
        return cls(best, spending, mean, _kept(features, means), clock, day)

    def buys(self, past: Past, days: float) -> FloatArray:
        """Log-odds of a purchase within ``days``, shape (n,)."""
        return logit(self.buying.p_purchase_within(_histories(past, self.clock, self.day), self._ahead(past, days)))

    def value(self, past: Past, days: float) -> FloatArray:
        """Logarithm of the expected net spend within ``days``, shape (n,)."""
        expected = self.buying.expected_purchases(_histories(past, self.clock, self.day), self._ahead(past, days))
        return np.log(np.maximum(expected * self.per_purchase(past), _LEAST_VALUE * self.mean_spend))

    def per_purchase(self, past: Past) -> FloatArray:
        """Expected net spend of one future purchase, shape (n,)."""
        if self.spending is None:
            return np.full(past.spend.size, self.kept * self.mean_spend)
        return self.kept * self.spending.expected_spend(past.repeats, past.spend)

    def _ahead(self, past: Past, days: float) -> FloatArray:
        now = _now(past, self.day)
        return self.clock.between(now, now + days)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        spending = None if self.spending is None else self.spending.to_dict()
        return {
            "buying": self.buying.to_dict(),
            "spending": spending,
            "mean_spend": self.mean_spend,
            "kept": self.kept,
            "clock": self.clock.to_dict(),
            "day": self.day,
        }

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Rhythm:
        """The rhythm that :meth:`to_dict` described."""
        buying = TRANSACTION_MODELS[saved["buying"]["model"]].from_dict(saved["buying"])
        spending = None if saved["spending"] is None else GammaGamma.from_dict(saved["spending"])
        clock = Clock.from_dict(saved["clock"])
        return cls(buying, spending, saved["mean_spend"], saved["kept"], clock, saved["day"])


def _now(past: Past, day: float) -> FloatArray:
    return np.where(np.isnan(past.now), day, past.now)


def _histories(past: Past, clock: Clock, day: float) -> Histories:
    """The customers' histories in the time of a clock."""
    now = _now(past, day)
    first = now - past.age
    age = clock.between(first, now)
    span = np.where(past.repeats > 0, np.minimum(clock.between(first, first + past.span), age), 0.0)
    return Histories.of(past.repeats, np.maximum(span, 0.0), np.maximum(age, 0.0))


def _kept(features: pa.Table, means: FloatArray) -> float:
    """Net spend over the amounts of purchases: what returns leave of them."""
    if not {"spend_total", "purchases"} <= set(features.column_names):
        return 1.0
    bought = float((means * numbers(features, "purchases", 0.0)).sum())
    net = float(numbers(features, "spend_total", 0.0).sum())
    return min(max(net / bought, _LEAST_KEPT), 1.0) if bought > 0 else 1.0
