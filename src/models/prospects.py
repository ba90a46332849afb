"""Those who have not bought yet: the chance of a first purchase, and what it would bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..workspace import write_json
from .predictor.predictor import FILE, Predictor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from .predictor.contributions import Contributions

    FloatArray = NDArray[np.float64]

_CHANCE, _VALUE = "chance", "value"


@dataclass(frozen=True, eq=False)
class Prospects:
    """Two predictors that go together.

    Attributes:
        chance: of a purchase within the horizon.
        value: the net spend to expect within the horizon, that chance included.
    """

    chance: Predictor
    value: Predictor
    task: str = "prospects"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns that :meth:`predict` gives."""
        return (self.chance.output, self.value.output)

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that either reads, each once."""
        return tuple(dict.fromkeys((*self.chance.columns, *self.value.columns)))

    @property
    def usual(self) -> Mapping[str, tuple[float, float, float]]:
        """Per feature, the values below which 10, 50 and 90 % of the training rows lie."""
        return {**self.value.usual, **self.chance.usual}

    def predict(self, features: pa.Table) -> dict[str, FloatArray]:
        """Chance and value, each of shape (n,); the same row gives the same values to the bit."""
        if not features.num_rows:
            return {name: np.zeros(0) for name in self.outputs}
        said = self.chance.predict(features) | self.value.predict(features)
        return {name: said[name] for name in self.outputs}

    def contributions(self, features: pa.Table) -> Contributions:
        """What each feature adds to the log-odds of the chance."""
        return self.chance.contributions(features)

    def save(self, folder: Path) -> None:
        """Write ``predictor.json``, and each predictor into a folder of its own."""
        self.chance.save(folder / _CHANCE)
        self.value.save(folder / _VALUE)
        write_json(folder / FILE, {"kind": "prospects"})

    @classmethod
    def load(cls, folder: Path) -> Prospects:
        """What :meth:`save` wrote."""
        return cls(Predictor.load(folder / _CHANCE), Predictor.load(folder / _VALUE))
