"""A release in memory: the predictors of all its tasks, which go together or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..errors import InputError
from ..workspace import read_json
from .predictor.predictor import FILE, Predictor
from .prospects import Prospects
from .risk.risk import Risk
from .segments import Segments
from .uplift import Uplift

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

    from .predictor.contributions import Contributions

MANIFEST = "manifest.json"
ORDER = ("high_value", "clv", "churn", "intent", "segments", "risk", "uplift")
"""The tasks in the order of their columns in the scores."""

Outputs: TypeAlias = "dict[str, np.ndarray[Any, Any]]"


class AnyPredictor(Protocol):
    """What predictors of all kinds have in common."""

    @property
    def task(self) -> str:
        """What it predicts."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns that ``predict`` gives."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that are read, in order."""

    @property
    def usual(self) -> Mapping[str, tuple[float, float, float]]:
        """Per feature, the values below which 10, 50 and 90 % of the training rows lie."""

    def predict(self, features: pa.Table) -> Outputs:
        """Scores by column."""

    def contributions(self, features: pa.Table) -> Contributions:
        """What each feature adds to the score."""

    def save(self, folder: Path) -> None:
        """Write native files."""


KINDS: Mapping[str, Callable[[Path], AnyPredictor]] = {
    "blend": Predictor.load,
    "segments": Segments.load,
    "risk": Risk.load,
    "uplift": Uplift.load,
    "prospects": Prospects.load,
}
"""How each kind of predictor is read from its folder, by what its file says it is."""


def load(folder: Path) -> AnyPredictor:
    """The predictor of one task from its folder of native files; nothing in it is executed.

    Raises InputError where the folder holds none.
    """
    saved = read_json(folder / FILE)
    read = KINDS.get(str(saved.get("kind"))) if isinstance(saved, dict) else None
    if read is None:
        raise InputError(f"{folder.name}: holds no predictor; expected a file {FILE} in it.")
    return read(folder)


@dataclass(frozen=True)
class Bundle:
    """The predictors of a release.

    Attributes:
        manifest: what the release says of itself.
        predictors: by task, in the order of their columns; each reads customers.
        prospects: what reads those who have not bought yet; None where that is no task of the release.
    """

    manifest: Mapping[str, Any]
    predictors: Mapping[str, AnyPredictor]
    prospects: AnyPredictor | None = None

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """From a folder with ``manifest.json`` and a folder for each task that it names.

        Raises InputError where a part is missing.
        """
        manifest = read_json(folder / MANIFEST)
        if manifest is None:
            raise InputError(f"{folder.name}: no {MANIFEST} in it; expected the folder of a release.")
        tasks = sorted(manifest["models"], key=lambda task: (ORDER.index(task) if task in ORDER else len(ORDER), task))
        found = {task: load(folder / task) for task in tasks}
        prospects = found.pop("prospects", None)
        return cls(manifest, found, prospects)

    @property
    def tasks(self) -> frozenset[str]:
        """What the release answers, of customers or of prospects."""
        return frozenset(self.predictors) | ({"prospects"} if self.prospects is not None else set())

    @property
    def columns(self) -> tuple[str, ...]:
        """Every feature that some predictor reads, each once."""
        return tuple(dict.fromkeys(name for p in self.predictors.values() for name in p.columns))

    def predict(self, features: pa.Table) -> pa.Table:
        """``customer_id``, ``as_of`` and the outputs of all tasks, row by row as given.

        Raises InputError where a feature is missing.
        """
        import pyarrow as pa

        columns = {name: features.column(name) for name in ("customer_id", "as_of")}
        for predictor in self.predictors.values():
            columns |= {name: pa.array(values) for name, values in predictor.predict(features).items()}
        return pa.table(columns)
