"""How abnormal a customer's behaviour is: against the own past, and against customers who have bought as often.

A trait is a feature with a side on which it is suspicious. What counts is how rare so large a value is among peers: its
empirical tail ``s = -log P(X >= x)`` among customers with a like number of purchases, as in COPOD and ECOD (Li et al.
2020, ICDM; 2022, TKDE 35), continued beyond the largest that was seen as a Pareto tail. Two things are made of it:

- what is rarer than one in fifteen by itself, traits that speak of the same sharing their weight;
- how far the traits lie from what is usual together: the squared Mahalanobis distance of their normal scores, that is,
  the joint tail under a Gaussian copula.

Their sum is compared with that of the customers of normal days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...workspace import read_json, write_json
from ..predictor.contributions import Contributions, sigmoid
from ..predictor.encoder import Encoder, numbers
from .parts import Summing
from .tail import Tail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

TRAITS: Mapping[str, int] = {
    "recent_pace_ratio": 1,
    "recent_amount_ratio": 1,
    "recent_record_ratio": 1,
    "recent_lines_ratio": 1,
    "recent_quantity_ratio": 1,
    "recent_return_change": 1,
    "recent_discount_change": 1,
    "recent_new_product_share": 1,
    "recent_new_category_share": 1,
    "recent_new_channel_share": 1,
    "recent_new_time_share": 1,
    "spend_30": 1,
    "purchases_7": 1,
    "purchases_30": 1,
    "recent_return_share": 1,
    "return_share": 1,
    "return_share_180": 1,
    "return_value_180": 1,
    "discount_share": 1,
    "discounted_line_share": 1,
    "basket_lines_max": 1,
    "unit_price_mean": 1,
    "night_share": 1,
    "complaints_180": 1,
    "score_mean_180": -1,
    "visits_7": 1,
    "visits_change_30": 1,
}
"""Features, and which side of each is suspicious: 1 for large values, -1 for small ones."""

_FILE = "predictor.json"
_PEERS = "purchases"
_EDGES = (2.0, 4.0, 10.0)  # purchases from which customers are others' peers
_FEWEST = 200  # rows of peers
_LEVELS = np.exp(-np.linspace(0.0, 9.0, 37))  # shares of the customers above the totals that are kept
_ODDS = 14.0  # log-odds beyond which a share says no more
_ARRAYS = ("usual_parts", "totals", "shares")


@dataclass(frozen=True, eq=False)
class Risk:
    """A fitted judge of what is abnormal.

    Attributes:
        columns: the features that it reads: ``purchases``, by which peers are told, and the k traits.
        edges: purchases from which customers are others' peers, rising.
        tails: by trait, the tail among each group of peers.
        summing: how the traits' surprises are summed.
        usual_parts: what each trait adds to the sum on average, shape (k,).
        totals: sums, rising.
        shares: of the customers of a normal day, the share with a smaller sum than each.
        usual: per feature, the values below which 10, 50 and 90 % of those customers lie.
    """

    columns: tuple[str, ...]
    edges: tuple[float, ...]
    tails: tuple[tuple[Tail, ...], ...]
    summing: Summing
    usual_parts: FloatArray
    totals: FloatArray
    shares: FloatArray
    usual: Mapping[str, tuple[float, float, float]]
    task: str = "risk"

    @classmethod
    def fit(cls, days: Sequence[pa.Table]) -> Risk:
        """Learn what is normal from customers as they stood on some days."""
        import pyarrow as pa

        there = [name for name in TRAITS if all(name in day.column_names for day in days)]
        traits = Encoder.fit([day.select(there) for day in days]).numbers
        columns = (*([_PEERS] if all(_PEERS in day.column_names for day in days) else []), *traits)
        table = pa.concat_tables([day.select(columns or day.column_names[:1]) for day in days])
        values, purchases = _values(table, traits), _purchases(table, columns)
        edges = _parted(purchases)
        peers = np.searchsorted(np.array(edges), purchases, side="right")
        tails = tuple(tuple(Tail.fit(c[peers == group]) for group in range(len(edges) + 1)) for c in values.T)
        surprises = _surprises(tails, edges, values, purchases)
        summing = Summing.fit(surprises)
        parts = summing(surprises)
        total = np.sort(parts.sum(axis=1))
        totals = np.unique(np.quantile(total, 1.0 - _LEVELS))
        shares = np.asarray((np.searchsorted(total, totals, side="left") + 0.5) / (total.size + 1.0), dtype=np.float64)
        usual = usual_ranges(columns, Encoder(columns, {}).matrix(table))
        return cls(columns, edges, tails, summing, parts.mean(axis=0), totals, shares, usual)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The column that :meth:`predict` gives."""
        return ("risk",)

    @property
    def traits(self) -> tuple[str, ...]:
        """The features in which somebody may be abnormal."""
        return tuple(name for name in self.columns if name != _PEERS)

    def parts(self, features: pa.Table) -> FloatArray:
        """What each trait adds to the sum, shape (n, k).

        Raises InputError where a feature is missing.
        """
        values, purchases = _values(features, self.traits), _purchases(features, self.columns)
        return self.summing(_surprises(self.tails, self.edges, values, purchases))

    def predict(self, features: pa.Table) -> dict[str, FloatArray]:
        """The share of the customers of a normal day who are less abnormal; the same row gives the same to the bit."""
        return {"risk": sigmoid(self._margin(self.parts(features).sum(axis=1)))}

    def contributions(self, features: pa.Table) -> Contributions:
        """What each trait adds to the log-odds of the risk, in proportion to what sets it apart from a usual one."""
        parts = self.parts(features)
        total, usual = parts.sum(axis=1), float(self.usual_parts.sum())
        margin = self._margin(total)
        base = np.full(len(total), self._margin(np.array([usual]))[0])
        apart = total - usual
        there = np.abs(apart) > 1e-9
        per = np.where(there, (margin - base) / np.where(there, apart, 1.0), 0.0)
        values = (parts - self.usual_parts) * per[:, None]
        return Contributions("risk", "logit", base + (margin - base - values.sum(axis=1)), self.traits, values)

    def _margin(self, total: FloatArray) -> FloatArray:
        """Log-odds of the share of customers with a smaller sum; beyond the largest that was seen it goes on rising."""
        margins = np.log(self.shares) - np.log1p(-self.shares)
        beyond = np.maximum(total - self.totals[-1], 0.0) / max(self.totals[-1], 1e-9)
        odds: FloatArray = np.minimum(np.interp(total, self.totals, margins) + beyond, _ODDS)
        return odds

    def save(self, folder: Path) -> None:
        """Write ``predictor.json`` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        usual = {name: list(ends) for name, ends in self.usual.items()}
        tails = [[tail.to_dict() for tail in by] for by in self.tails]
        plain = {"kind": "risk", "columns": list(self.columns), "edges": list(self.edges), "usual": usual}
        write_json(folder / _FILE, {**plain, **arrays, "tails": tails, "summing": self.summing.to_dict()})

    @classmethod
    def load(cls, folder: Path) -> Risk:
        """What :meth:`save` wrote."""
        saved: dict[str, Any] = read_json(folder / _FILE)
        tails = tuple(tuple(Tail.from_dict(tail) for tail in by) for by in saved["tails"])
        usual = {name: (low, mid, high) for name, (low, mid, high) in saved["usual"].items()}
        parts, totals, shares = (np.array(saved[name], dtype=np.float64) for name in _ARRAYS)
        columns, edges = tuple(saved["columns"]), tuple(saved["edges"])
        return cls(columns, edges, tails, Summing.from_dict(saved["summing"]), parts, totals, shares, usual)


def _values(features: pa.Table, traits: Sequence[str]) -> FloatArray:
    """The traits with their suspicious side up, shape (n, k)."""
    signs = np.array([float(TRAITS[name]) for name in traits])
    values: FloatArray = Encoder(tuple(traits), {}).matrix(features) * signs
    return values


def _purchases(features: pa.Table, columns: Sequence[str]) -> FloatArray:
    """By what peers are told; the same for all where it is not known."""
    return numbers(features, _PEERS, 0.0) if _PEERS in columns else np.zeros(features.num_rows)


def _parted(purchases: FloatArray) -> tuple[float, ...]:
    """The edges between groups of peers that leave enough of them on both sides.

    >>> _parted(np.repeat([1.0, 5.0, 20.0], [300, 300, 10]))
    (2.0,)
    """
    kept: list[float] = []
    for edge in _EDGES:
        below = (purchases < edge) & (purchases >= (kept[-1] if kept else -np.inf))
        if below.sum() >= _FEWEST and (purchases >= edge).sum() >= _FEWEST:
            kept.append(edge)
    return tuple(kept)


def _surprises(
    tails: Sequence[Sequence[Tail]], edges: Sequence[float], values: FloatArray, purchases: FloatArray
) -> FloatArray:
    """How rare each trait is among peers: ``-log`` of the share of them who have as much, shape (n, k)."""
    peers = np.searchsorted(np.array(edges), purchases, side="right")
    found = np.zeros(values.shape)
    for group in np.unique(peers):
        mine = peers == group
        for number, by in enumerate(tails):
            found[mine, number] = by[group](values[mine, number])
    return found


def usual_ranges(columns: Sequence[str], matrix: FloatArray) -> dict[str, tuple[float, float, float]]:
    """Per column of a matrix, the values below which 10, 50 and 90 % of the known ones lie."""
    found = {}
    for name, column in zip(columns, matrix.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size:
            low, mid, high = np.percentile(known, [10, 50, 90]).tolist()
            found[name] = (low, mid, high)
    return found
