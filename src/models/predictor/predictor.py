"""Probabilities and expected values: a blend of members on the logit or log scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...workspace import read_json, write_json
from .contributions import FORMULA, Contributions, sigmoid
from .encoder import Encoder
from .interval import Bands
from .members import Aspect, Member, Rows, load_member
from .rhythm import COLUMNS, Past, Rhythm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

FILE = "predictor.json"
_REACH = 14.0  # log-odds beyond which a probability says no more


@dataclass(frozen=True, eq=False)
class Predictor:
    """A fitted predictor of one task.

    Attributes:
        task: what it predicts.
        output: the column of the score; an interval adds ``<output>_low`` and ``<output>_high``.
        link: "logit" for probabilities, "log" for money.
        encoder: which features go into the matrix.
        rhythm: the formula, where there were enough repeat purchases to fit one.
        members: what is blended.
        weights: of the members, shape (k,).
        intercept: so that margin = intercept + sum of weights * members' margins (+ the longer horizon's shift).
        days: the horizon of the score.
        learnt_days: the horizon on which the members were fitted; the formula extends it to ``days``.
        stretch: which of the formula's margins extends it, and with which sign; None where the horizons are the same.
        sign: -1 where the formula speaks of buying and the task of not buying.
        bands: the interval, for money.
        usual: per feature, the values below which 10, 50 and 90 % of the training rows lie.
    """

    task: str
    output: str
    link: Literal["logit", "log"]
    encoder: Encoder
    rhythm: Rhythm | None
    members: tuple[Member, ...]
    weights: tuple[float, ...]
    intercept: float
    days: float
    learnt_days: float
    stretch: Aspect | None
    sign: float
    bands: Bands | None
    usual: Mapping[str, tuple[float, float, float]]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns that :meth:`predict` gives."""
        return (self.output, f"{self.output}_low", f"{self.output}_high") if self.bands else (self.output,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that it reads, in order."""
        more = [name for name in COLUMNS if name not in self.encoder.columns] if self.rhythm else []
        return (*self.encoder.columns, *more)

    def rows(self, features: pa.Table) -> Rows:
        """Features as the members see them."""
        matrix = self.encoder.matrix(features)
        if self.rhythm is None:
            return Rows(matrix, {})
        return Rows(matrix, formula_margins(self.rhythm, Past.of(features), self.learnt_days, self.sign))

    def _shift(self, features: pa.Table) -> FloatArray:
        """What the longer horizon adds to the margin, by the formula."""
        if self.rhythm is None or self.stretch is None:
            return np.zeros(features.num_rows)
        past = Past.of(features)
        longer = formula_margins(self.rhythm, past, self.days, self.sign)[self.stretch]
        return longer - formula_margins(self.rhythm, past, self.learnt_days, self.sign)[self.stretch]

    def margin(self, features: pa.Table) -> FloatArray:
        """Log-odds or log money, shape (n,)."""
        return self._margin(self.rows(features), self._shift(features))

    def _margin(self, rows: Rows, shift: FloatArray) -> FloatArray:
        total = self.intercept + shift
        for weight, member in zip(self.weights, self.members, strict=True):
            total = total + weight * member.margin(rows)
        return np.clip(total, -_REACH, _REACH) if self.link == "logit" else total

    def _signal(self, features: pa.Table, rows: Rows, margin: FloatArray) -> FloatArray:
        """What tells the interval who buys: the formula's log-odds, or without one the log of the value."""
        if self.rhythm is None:
            return margin
        return rows.formula["buys"] if self.days == self.learnt_days else self.rhythm.buys(Past.of(features), self.days)

    def predict(self, features: pa.Table) -> dict[str, FloatArray]:
        """The outputs, each of shape (n,); the same row gives the same values to the bit.

        Raises InputError where a feature of :attr:`columns` is missing.
        """
        rows = self.rows(features)
        margin = self._margin(rows, self._shift(features))
        score = sigmoid(margin) if self.link == "logit" else np.exp(margin)
        if self.bands is None:
            return {self.output: score}
        low, high = self.bands.ends(score, self._signal(features, rows, margin))
        return dict(zip(self.outputs, (score, low, high), strict=True))

    def contributions(self, features: pa.Table) -> Contributions:
        """What each feature, and the formula, adds to the score on its link; sums to it exactly."""
        rows, shift = self.rows(features), self._shift(features)
        values = np.zeros((features.num_rows, len(self.encoder.columns)))
        base, formula = np.full(features.num_rows, self.intercept), shift
        owners = self.encoder.owners
        for weight, member in zip(self.weights, self.members, strict=True):
            parts = member.parts(rows)
            base = base + weight * parts.base
            formula = formula + weight * parts.formula
            for column, owner in enumerate(owners):
                values[:, owner] += weight * parts.features[:, column]
        names: tuple[str, ...] = self.encoder.columns
        if self.rhythm is not None:
            names, values = (*names, FORMULA), np.column_stack([values, formula])
        base = base + (self._margin(rows, shift) - base - values.sum(axis=1))  # what float32 has rounded away
        return Contributions(self.output, self.link, base, names, values)

    def save(self, folder: Path) -> None:
        """Write ``predictor.json`` and the boosters' files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        plain = {name: getattr(self, name) for name in _PLAIN}
        write_json(
            folder / FILE,
            {
                "kind": "blend",
                **plain,
                "encoder": self.encoder.to_dict(),
                "rhythm": None if self.rhythm is None else self.rhythm.to_dict(),
                "members": [member.save(folder, f"member_{i}") for i, member in enumerate(self.members)],
                "bands": None if self.bands is None else self.bands.to_dict(),
                "usual": {name: list(ends) for name, ends in self.usual.items()},
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """The predictor that :meth:`save` wrote: equal to the bit."""
        saved: dict[str, Any] = read_json(folder / FILE)
        plain = {name: saved[name] for name in _PLAIN}
        plain["weights"] = tuple(plain["weights"])
        return cls(
            **plain,
            encoder=Encoder.from_dict(saved["encoder"]),
            rhythm=None if saved["rhythm"] is None else Rhythm.from_dict(saved["rhythm"]),
            members=tuple(load_member(folder, member) for member in saved["members"]),
            bands=None if saved["bands"] is None else Bands.from_dict(saved["bands"]),
            usual={name: (low, mid, high) for name, (low, mid, high) in saved["usual"].items()},
        )


_PLAIN = ("task", "output", "link", "weights", "intercept", "days", "learnt_days", "stretch", "sign")


def formula_margins(rhythm: Rhythm, past: Past, days: float, sign: float) -> dict[str, FloatArray]:
    """The formula's two margins within ``days``: of buying (or, with sign -1, of not buying), and of spend."""
    return {"buys": sign * rhythm.buys(past, days), "value": rhythm.value(past, days)}
