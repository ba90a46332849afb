"""The buying rhythm: a buy-till-you-die formula with its parameters, as one member of a blend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import TooFewCustomersError
from ..btyd import TRANSACTION_MODELS, GammaGamma, Histories, TransactionModel
from .contributions import logit
from .encoder import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

COLUMNS = ("repeat_days", "recency_span", "age", "spend_repeat_mean")
"""The features that a rhythm reads."""
PENALTY = 1.0
_LEAST_VALUE = 1e-6  # of the mean spend: keeps logarithms finite


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What a rhythm sees of n customers: their histories in days, and the mean spend of their repeat purchases."""

    histories: Histories
    spend: FloatArray

    @classmethod
    def of(cls, features: pa.Table) -> Past:
        """From a table of features; who has no purchase (a subscriber, say) has an empty history."""
        x, span, age = (np.maximum(numbers(features, name, 0.0), 0.0) for name in COLUMNS[:3])
        x = np.floor(x)
        span = np.where(x > 0, np.minimum(span, age), 0.0)
        return cls(Histories.of(x, span, age), numbers(features, COLUMNS[3], 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Rhythm:
    """A fitted formula: how many purchases, and how much for each.

    Attributes:
        buying: BG/NBD, MBG/NBD or Pareto/NBD.
        spending: Gamma-Gamma; without enough repeat spend, everyone's purchases are worth ``mean_spend``.
        mean_spend: mean spend of a purchase.
    """

    buying: TransactionModel
    spending: GammaGamma | None
    mean_spend: float

    @classmethod
    def fit(cls, features: pa.Table, kinds: Iterable[str]) -> Rhythm | None:
        """The likeliest of several kinds on these customers; None where too few of them bought again."""
        past = Past.of(features)
        try:
            fitted = [TRANSACTION_MODELS[kind].fit(past.histories, penalty=PENALTY) for kind in kinds]
        except TooFewCustomersError:
            return None
        best = max(fitted, key=lambda model: model.diagnostics.log_likelihood)
        means = numbers(features, "spend_mean", 0.0)
        mean = float(means[means > 0].mean()) if (means > 0).any() else 1.0
        try:
            spending = GammaGamma.fit(past.histories.frequency, past.spend, penalty=PENALTY)
        except TooFewCustomersError:
            spending = None
        return cls(best, spending, mean)

    def buys(self, past: Past, days: float) -> FloatArray:
        """Log-odds of a purchase within ``days``, shape (n,)."""
        return logit(self.buying.p_purchase_within(past.histories, days))

    def value(self, past: Past, days: float) -> FloatArray:
        """Logarithm of the expected spend within ``days``, shape (n,)."""
        expected = self.buying.expected_purchases(past.histories, days) * self.per_purchase(past)
        return np.log(np.maximum(expected, _LEAST_VALUE * self.mean_spend))

    def per_purchase(self, past: Past) -> FloatArray:
        """Expected spend of one future purchase, shape (n,)."""
        if self.spending is None:
            return np.full(past.spend.size, self.mean_spend)
        return self.spending.expected_spend(past.histories.frequency, past.spend)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        spending = None if self.spending is None else self.spending.to_dict()
        return {"buying": self.buying.to_dict(), "spending": spending, "mean_spend": self.mean_spend}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Rhythm:
        """The rhythm that :meth:`to_dict` described."""
        buying = TRANSACTION_MODELS[saved["buying"]["model"]].from_dict(saved["buying"])
        spending = None if saved["spending"] is None else GammaGamma.from_dict(saved["spending"])
        return cls(buying, spending, saved["mean_spend"])
