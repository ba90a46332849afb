"""The members of a blend: each gives a margin (log-odds or log money) per row, and what each feature adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

Aspect = Literal["buys", "value"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Customers as members see them: the encoded features (n, k), and the formula's margins, each (n,)."""

    matrix: FloatArray
    formula: Mapping[str, FloatArray]

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        return Rows(self.matrix[which], {name: values[which] for name, values in self.formula.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A margin taken apart: ``base + features.sum(axis=1) + formula``, up to rounding."""

    base: FloatArray
    features: FloatArray
    formula: FloatArray


class Member(Protocol):
    """A fitted member."""

    def margin(self, rows: Rows) -> FloatArray:
        """On the scale of the blend, shape (n,)."""

    def parts(self, rows: Rows) -> Parts:
        """What the margin is made of, by column of the matrix."""

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """Write what is no JSON into the folder, and give the rest as plain values."""


@dataclass(frozen=True, eq=False)
class Formula:
    """The formula as it is: how likely a purchase, or how much spend."""

    aspect: Aspect
    usual: float

    def margin(self, rows: Rows) -> FloatArray:
        """The formula's margin."""
        return rows.formula[self.aspect]

    def parts(self, rows: Rows) -> Parts:
        """All of it is the formula's, against the usual customer."""
        margin = self.margin(rows)
        return Parts(np.full(margin.size, self.usual), np.zeros_like(rows.matrix), margin - self.usual)

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """Nothing but two values."""
        del folder, name
        return {"kind": "formula", "aspect": self.aspect, "usual": self.usual}


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosted trees, alone or as a correction of the formula: ``prior + slope * formula + trees``.

    Attributes:
        model: the booster as XGBoost's own bytes (UBJSON).
        prior: the margin from which the trees start.
        slope: how much of the formula's margin they start from; 0 for trees alone.
        aspect: which of the formula's margins.
        usual: the formula's margin of a usual customer.
    """

    model: bytes
    prior: float
    slope: float
    aspect: Aspect
    usual: float

    @cached_property
    def booster(self) -> Any:
        """The booster, read once; one thread, since few rows are asked for at a time."""
        import xgboost as xgb

        booster = xgb.Booster()
        booster.load_model(bytearray(self.model))
        booster.set_param({"nthread": 1})
        return booster

    def _start(self, rows: Rows) -> FloatArray:
        if not self.slope:
            return np.full(len(rows.matrix), self.prior)
        return self.prior + self.slope * rows.formula[self.aspect]

    def margin(self, rows: Rows) -> FloatArray:
        """The start, corrected by the trees."""
        import xgboost as xgb

        raised = self.booster.predict(xgb.DMatrix(rows.matrix, nthread=1), output_margin=True)
        margin: FloatArray = self._start(rows) + raised.astype(np.float64)
        return margin

    def parts(self, rows: Rows) -> Parts:
        """Exact SHAP values of the trees."""
        import xgboost as xgb

        values = self.booster.predict(xgb.DMatrix(rows.matrix, nthread=1), pred_contribs=True).astype(np.float64)
        base = values[:, -1] + self.prior
        if not self.slope:
            return Parts(base, values[:, :-1], np.zeros(len(values)))
        base = base + self.slope * self.usual
        return Parts(base, values[:, :-1], self.slope * (rows.formula[self.aspect] - self.usual))

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """The booster goes into a file of its own."""
        (folder / f"{name}.ubj").write_bytes(self.model)
        values = {"prior": self.prior, "slope": self.slope, "aspect": self.aspect, "usual": self.usual}
        return {"kind": "trees", "file": f"{name}.ubj", **values}


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear model on squashed features: ``intercept + sum of coefficient * clip((asinh(x / scale) - mean) / sd)``.

    What is unknown counts as the mean. All arrays have shape (k,).
    """

    scale: FloatArray
    mean: FloatArray
    sd: FloatArray
    coefficients: FloatArray
    intercept: float

    reach = 4.0

    @staticmethod
    def squash(matrix: FloatArray, scale: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
        """Features on one scale, with short tails; shape as given."""
        z = (np.arcsinh(matrix / scale) - mean) / sd
        return np.clip(np.where(np.isnan(z), 0.0, z), -Linear.reach, Linear.reach)

    def parts(self, rows: Rows) -> Parts:
        """The terms of the sum."""
        terms = self.squash(rows.matrix, self.scale, self.mean, self.sd) * self.coefficients
        n = len(rows.matrix)
        return Parts(np.full(n, self.intercept), terms, np.zeros(n))

    def margin(self, rows: Rows) -> FloatArray:
        """The sum."""
        margin: FloatArray = self.intercept + self.parts(rows).features.sum(axis=1)
        return margin

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """Nothing but numbers."""
        del folder, name
        arrays = {key: getattr(self, key).tolist() for key in ("scale", "mean", "sd", "coefficients")}
        return {"kind": "linear", "intercept": self.intercept, **arrays}


@dataclass(frozen=True, eq=False)
class TwoPart:
    """Expected spend as the chance of buying times the spend of those who buy: ``log(sigmoid(chance)) + amount``."""

    chance: Member
    amount: Member

    def margin(self, rows: Rows) -> FloatArray:
        """The logarithm of the product."""
        return log_sigmoid(self.chance.margin(rows)) + self.amount.margin(rows)

    def parts(self, rows: Rows) -> Parts:
        """The chance's parts are shrunk to what they change of the logarithm of the chance (the rescale rule)."""
        chance, amount = self.chance.parts(rows), self.amount.parts(rows)
        base = log_sigmoid(chance.base)
        whole = chance.features.sum(axis=1) + chance.formula
        gained = log_sigmoid(chance.base + whole) - base
        level = np.exp(-np.logaddexp(0.0, chance.base))
        rate = np.divide(gained, whole, out=level, where=np.abs(whole) > 1e-9)
        features = chance.features * rate[:, None] + amount.features
        return Parts(base + amount.base, features, chance.formula * rate + amount.formula)

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """Both parts."""
        chance = self.chance.save(folder, f"{name}_chance")
        return {"kind": "two_part", "chance": chance, "amount": self.amount.save(folder, f"{name}_amount")}


def log_sigmoid(x: FloatArray) -> FloatArray:
    """log(1 / (1 + exp(-x))), stable at both ends."""
    return -np.logaddexp(0.0, -x)


def load_member(folder: Path, saved: Mapping[str, Any]) -> Member:
    """The member that ``save`` wrote."""
    kind = saved["kind"]
    if kind == "formula":
        return Formula(saved["aspect"], saved["usual"])
    if kind == "trees":
        model = (folder / saved["file"]).read_bytes()
        return Trees(model, saved["prior"], saved["slope"], saved["aspect"], saved["usual"])
    if kind == "linear":
        arrays = {key: np.array(saved[key], dtype=np.float64) for key in ("scale", "mean", "sd", "coefficients")}
        return Linear(**arrays, intercept=saved["intercept"])
    return TwoPart(load_member(folder, saved["chance"]), load_member(folder, saved["amount"]))
