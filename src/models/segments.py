"""Groups of customers who are alike: k-means centres in a scaled space, each with a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..workspace import read_json, write_json
from .predictor.contributions import Contributions
from .predictor.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_FILE = "predictor.json"
_ARRAYS = ("scale", "middle", "spread", "weight")
_REACH = 3.0
_NOTICEABLE = 0.35  # weighted distance from the mean customer that sets a segment apart
_ALIKE = 0.1  # change of spend, -1 to 1, that is none
_PLAIN = 10  # from here on numbers are told without decimals


class Trait(NamedTuple):
    """A behaviour that segments are made of.

    Attributes:
        high: what much of it is called.
        low: what little of it is called.
        weight: how much a usual spread of it counts when customers are compared.
        about: what a typical value of it is called, with a place for the number.
    """

    high: str
    low: str
    weight: float
    about: str


TRAITS: Mapping[str, Trait] = {
    "days_since_last": Trait("long silent", "bought lately", 1.2, "last bought {} days ago"),
    "purchases": Trait("frequent", "seldom", 1.0, "purchases so far: {}"),
    "spend_total": Trait("high spend", "low spend", 0.8, "spent so far: {}"),
    "visits_90": Trait("many visits", "few visits", 0.6, "visits in 90 days: {}"),
    "spend_mean": Trait("large orders", "small orders", 0.4, "spent per purchase: {}"),
    "age": Trait("long-standing", "joined lately", 0.4, "first bought {} days ago"),
    "products": Trait("wide choice", "few products", 0.3, "different products: {}"),
    "spend_change_90": Trait("spending more", "spending less", 0.3, "{} the 90 days before"),
    "return_share": Trait("many returns", "no returns", 0.3, "{} of the amount returned"),
    "discount_share": Trait("discount buyers", "full price", 0.3, "{} taken off by discounts"),
}
"""Recency, frequency and value part the customers, the rest of their behaviour tells those who are alike apart.

No trait may be called like a stage of the lifecycle (new, active, at risk, dormant, gone)."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Features as they are compared: ``weight * clip((asinh(x / scale) - middle) / spread)``.

    Unknown values are usual ones.

    All arrays have shape (k,), in the order of ``columns``.
    """

    columns: tuple[str, ...]
    scale: FloatArray
    middle: FloatArray
    spread: FloatArray
    weight: FloatArray

    @classmethod
    def fit(cls, features: pa.Table) -> Scaling:
        """Medians and interquartile ranges of the behaviour that tells these customers apart."""
        there = [name for name in TRAITS if name in features.column_names]
        encoder = Encoder.fit([features.select(there)])
        matrix = encoder.matrix(features)
        size = np.abs(matrix)
        scale = np.array([_usual_size(column) for column in size.T])
        squashed = np.arcsinh(matrix / scale)
        quarters = np.nanpercentile(squashed, [25, 50, 75], axis=0)
        spread = np.maximum(quarters[2] - quarters[0], np.nanstd(squashed, axis=0)) / 1.349
        kept = spread > 0
        columns = tuple(name for name, keep in zip(encoder.columns, kept, strict=True) if keep)
        weight = np.array([TRAITS[name].weight for name in columns])
        return cls(columns, scale[kept], quarters[1][kept], spread[kept], weight)

    def __call__(self, features: pa.Table) -> FloatArray:
        """Positions of the customers, shape (n, k)."""
        matrix = Encoder(self.columns, {}).matrix(features)
        z = (np.arcsinh(matrix / self.scale) - self.middle) / self.spread
        positions: FloatArray = self.weight * np.clip(np.where(np.isnan(z), 0.0, z), -_REACH, _REACH)
        return positions

    def values(self, centres: FloatArray) -> FloatArray:
        """Positions in the features' own units; shape as given."""
        return np.sinh(centres / self.weight * self.spread + self.middle) * self.scale


@dataclass(frozen=True, eq=False)
class Segments:
    """A fitted segmentation.

    Attributes:
        scaling: where a customer stands.
        centres: of the segments, shape (segments, k).
        names: of the segments, all different.
        about: one line on each.
        usual: per feature, the values below which 10, 50 and 90 % of the customers lie.
    """

    scaling: Scaling
    centres: FloatArray
    names: tuple[str, ...]
    about: tuple[str, ...]
    usual: Mapping[str, tuple[float, float, float]]
    task: str = "segments"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The column that :meth:`predict` gives."""
        return ("segment",)

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that it reads, in order."""
        return self.scaling.columns

    def which(self, features: pa.Table) -> NDArray[np.intp]:
        """The number of each customer's segment: that of the nearest centre, the first of equally near ones."""
        return nearest(self.scaling(features), self.centres)

    def predict(self, features: pa.Table) -> dict[str, NDArray[np.object_]]:
        """The name of each customer's segment; the same row gives the same name, alone or among others."""
        return {"segment": np.array(self.names, dtype=object)[self.which(features)]}

    def contributions(self, features: pa.Table) -> Contributions:
        """By column: how much nearer the customer is to the own centre than to the next one (squared distance)."""
        positions = self.scaling(features)
        order = np.argsort(distances(positions, self.centres), axis=1, kind="stable")
        own, other = self.centres[order[:, 0]], self.centres[order[:, min(1, len(self.centres) - 1)]]
        values = (positions - other) ** 2 - (positions - own) ** 2
        return Contributions("segment", "identity", np.zeros(len(values)), self.columns, values)

    def save(self, folder: Path) -> None:
        """Write ``predictor.json`` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: getattr(self.scaling, name).tolist() for name in _ARRAYS}
        write_json(
            folder / _FILE,
            {
                "kind": "segments",
                "columns": list(self.columns),
                **arrays,
                "centres": self.centres.tolist(),
                "names": list(self.names),
                "about": list(self.about),
                "usual": {name: list(ends) for name, ends in self.usual.items()},
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Segments:
        """The segmentation that :meth:`save` wrote."""
        saved: dict[str, Any] = read_json(folder / _FILE)
        arrays = [np.array(saved[name], dtype=np.float64) for name in _ARRAYS]
        return cls(
            Scaling(tuple(saved["columns"]), *arrays),
            np.array(saved["centres"], dtype=np.float64),
            tuple(saved["names"]),
            tuple(saved["about"]),
            {name: (low, mid, high) for name, (low, mid, high) in saved["usual"].items()},
        )


def distances(positions: FloatArray, centres: FloatArray) -> FloatArray:
    """Squared distance of each position to each centre, shape (n, segments); no BLAS, so a row alone gives the same.

    >>> distances(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0], [3.0, 1.0]])).tolist()
    [[1.0, 9.0]]
    """
    return np.stack([((positions - centre) ** 2).sum(axis=1) for centre in centres], axis=1)


def nearest(positions: FloatArray, centres: FloatArray) -> NDArray[np.intp]:
    """The number of the nearest centre of each position; of equally near ones the first."""
    which: NDArray[np.intp] = np.argmin(distances(positions, centres), axis=1)
    return which


def name_segments(columns: Sequence[str], centres: FloatArray) -> tuple[str, ...]:
    """A different name for each centre, from what sets it apart, the most striking first.

    Centres are told as their distance from the mean customer, shape (segments, columns).

    >>> name_segments(("purchases", "days_since_last"), np.array([[1.5, -0.5], [-0.4, 1.2], [0.0, 0.1]]))
    ('Frequent, bought lately', 'Long silent, seldom', 'Usual customers')
    """
    traits = [_traits(columns, centre) for centre in centres]
    most = max((len(found) for found in traits), default=0)
    for length in range(2, max(most, 2) + 1):
        names = [_phrase(found[:length]) for found in traits]
        if len(set(names)) == len(names):
            return tuple(names)
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(unique)


def _traits(columns: Sequence[str], centre: FloatArray) -> list[str]:
    order = sorted(range(len(columns)), key=lambda i: (-abs(centre[i]), columns[i]))
    return [
        TRAITS[columns[i]].high if centre[i] > 0 else TRAITS[columns[i]].low
        for i in order
        if abs(centre[i]) >= _NOTICEABLE
    ]


def _phrase(traits: Sequence[str]) -> str:
    text = ", ".join(traits)
    return text[:1].upper() + text[1:] if text else "Usual customers"


def describe(columns: Sequence[str], values: FloatArray) -> str:
    """One line on a customer with these values, in words.

    >>> describe(("purchases", "days_since_last", "return_share"), np.array([3.25, 1204.4, 0.051]))
    'purchases so far: 3.2, last bought 1,204 days ago, 5 % of the amount returned'
    """
    told = zip(columns, values.tolist(), strict=True)
    return ", ".join(TRAITS[name].about.format(_said(name, value)) for name, value in told)


def _said(name: str, value: float) -> str:
    if name == "spend_change_90":
        more = "less than in" if value < 0 else "more than in"
        return "in 90 days spent as much as in" if abs(value) < _ALIKE else f"in 90 days spent {more}"
    if name.endswith("_share"):
        return f"{100 * value:.0f} %"
    return f"{value:,.0f}" if abs(value) >= _PLAIN else f"{value:.1f}".removesuffix(".0")


def _usual_size(sizes: FloatArray) -> float:
    known = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(known)) if known.size else 1.0
