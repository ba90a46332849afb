"""What contact changes: a weighted sum of meta-learners, each an estimate of the effect on one customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..workspace import read_json, write_json
from .predictor.contributions import Contributions, sigmoid
from .predictor.encoder import Encoder
from .predictor.members import Member, Rows, load_member

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

CONTACT = "contact as such"
"""The name under which goes what contact changes whoever the customer is, as far as a learner has it vary."""
_FILE = "predictor.json"


class Effect(Protocol):
    """An estimate of what contact changes."""

    def effect(self, matrix: FloatArray) -> FloatArray:
        """For n customers with k encoded features, shape (n, k): the change, shape (n,)."""

    def parts(self, matrix: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """A base, what each column adds, shape (n, k), and contact itself, shape (n,); they sum to the effect."""

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """Write what is no JSON into the folder, and give the rest as plain values."""


@dataclass(frozen=True, eq=False)
class Direct:
    """A model of the effect itself (X- and R-learner)."""

    member: Member

    def effect(self, matrix: FloatArray) -> FloatArray:
        """The member's margin."""
        return self.member.margin(Rows(matrix, {}))

    def parts(self, matrix: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """The member's parts; its base is the same for all."""
        parts = self.member.parts(Rows(matrix, {}))
        base = float(parts.base[0]) if parts.base.size else 0.0
        return base, parts.features, np.zeros(len(matrix))

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """The member."""
        return {"kind": "direct", "member": self.member.save(folder, name)}


@dataclass(frozen=True, eq=False)
class Difference:
    """The outcome with contact less the outcome without.

    Attributes:
        treated, control: of the outcome's margin; the same one for an S-learner.
        chance: whether the margins are log-odds of a chance.
        switched: whether the members read one further column, 1 with contact and 0 without.
    """

    treated: Member
    control: Member
    chance: bool
    switched: bool

    def effect(self, matrix: FloatArray) -> FloatArray:
        """The difference of chances, or of amounts."""
        treated, control = (
            m.margin(rows) for m, rows in zip((self.treated, self.control), self._rows(matrix), strict=True)
        )
        return sigmoid(treated) - sigmoid(control) if self.chance else treated - control

    def alone(self, member: Member, matrix: FloatArray) -> FloatArray:
        """What one of the members says of the outcome."""
        margin = member.margin(Rows(matrix, {}))
        return sigmoid(margin) if self.chance else margin

    def _rows(self, matrix: FloatArray) -> tuple[Rows, Rows]:
        if not self.switched:
            return Rows(matrix, {}), Rows(matrix, {})
        with_contact, without = (np.column_stack([matrix, np.full(len(matrix), on)]) for on in (1.0, 0.0))
        return Rows(with_contact, {}), Rows(without, {})

    def parts(self, matrix: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Parts of log-odds are shrunk to what they change of the chance (the rescale rule)."""
        treated, control = self._rows(matrix)
        base, plus = self._scaled(self.treated, treated)
        other, minus = self._scaled(self.control, control)
        values, k = plus - minus, matrix.shape[1]
        return base - other, values[:, :k], values[:, k:].sum(axis=1)

    def _scaled(self, member: Member, rows: Rows) -> tuple[float, FloatArray]:
        parts = member.parts(rows)
        base = float(parts.base[0]) if parts.base.size else 0.0
        if not self.chance:
            return base, parts.features
        whole = parts.features.sum(axis=1)
        start = float(sigmoid(np.array([base]))[0])
        gained = sigmoid(base + whole) - start
        level = np.full(whole.size, start * (1.0 - start))
        rate = np.divide(gained, whole, out=level, where=np.abs(whole) > 1e-9)
        return start, parts.features * rate[:, None]

    def save(self, folder: Path, name: str) -> dict[str, Any]:
        """The members; one that stands for both is written once."""
        treated = self.treated.save(folder, f"{name}_treated")
        same = self.treated is self.control
        control = None if same else self.control.save(folder, f"{name}_control")
        plain = {"chance": self.chance, "switched": self.switched}
        return {"kind": "difference", **plain, "treated": treated, "control": control}


def load_effect(folder: Path, saved: Mapping[str, Any]) -> Effect:
    """The effect that ``save`` wrote."""
    if saved["kind"] == "direct":
        return Direct(load_member(folder, saved["member"]))
    treated = load_member(folder, saved["treated"])
    control = treated if saved["control"] is None else load_member(folder, saved["control"])
    return Difference(treated, control, saved["chance"], saved["switched"])


@dataclass(frozen=True, eq=False)
class Uplift:
    """A fitted model of what contact changes: ``intercept + sum of weight * effect``.

    Attributes:
        encoder: which features go into the matrix.
        effects, weights: what is added up, k of each.
        intercept: the part of the change that is the same for all.
        usual: per feature, the values below which 10, 50 and 90 % of the training rows lie.
    """

    encoder: Encoder
    effects: tuple[Effect, ...]
    weights: tuple[float, ...]
    intercept: float
    usual: Mapping[str, tuple[float, float, float]]
    task: str = "uplift"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The column that :meth:`predict` gives."""
        return ("uplift",)

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that it reads, in order."""
        return self.encoder.columns

    def predict(self, features: pa.Table) -> dict[str, FloatArray]:
        """The expected change by contact of each customer; the same row gives the same value to the bit."""
        return {"uplift": total(self.effects, self.weights, self.intercept, self.encoder.matrix(features))}

    def contributions(self, features: pa.Table) -> Contributions:
        """What each feature adds to the change; sums to it."""
        matrix = self.encoder.matrix(features)
        values = np.zeros((len(matrix), len(self.columns) + 1))
        start = self.intercept
        for weight, effect in zip(self.weights, self.effects, strict=True):
            base, columns, contact = effect.parts(matrix)
            start += weight * base
            values[:, -1] += weight * contact
            for column, owner in enumerate(self.encoder.owners):
                values[:, owner] += weight * columns[:, column]
        score = total(self.effects, self.weights, self.intercept, matrix)
        base = start + (score - start - values.sum(axis=1))  # what float32 has rounded away
        return Contributions("uplift", "identity", base, (*self.columns, CONTACT), values)

    def save(self, folder: Path) -> None:
        """Write ``predictor.json`` and the boosters' files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(
            folder / _FILE,
            {
                "kind": "uplift",
                "encoder": self.encoder.to_dict(),
                "effects": [effect.save(folder, f"effect_{i}") for i, effect in enumerate(self.effects)],
                "weights": list(self.weights),
                "intercept": self.intercept,
                "usual": {name: list(ends) for name, ends in self.usual.items()},
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Uplift:
        """The model that :meth:`save` wrote: equal to the bit."""
        saved: dict[str, Any] = read_json(folder / _FILE)
        return cls(
            Encoder.from_dict(saved["encoder"]),
            tuple(load_effect(folder, effect) for effect in saved["effects"]),
            tuple(saved["weights"]),
            saved["intercept"],
            {name: (low, mid, high) for name, (low, mid, high) in saved["usual"].items()},
        )


def total(effects: Sequence[Effect], weights: Sequence[float], intercept: float, matrix: FloatArray) -> FloatArray:
    """The weighted sum of effects, shape (n,)."""
    found = np.full(len(matrix), intercept)
    for weight, effect in zip(weights, effects, strict=True):
        found = found + weight * effect.effect(matrix)
    return found
