"""Groups of customers with a like future: centres in a space whose axes were learnt from what customers did next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..workspace import read_json, write_json
from .predictor.contributions import Contributions
from .predictor.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_FILE = "predictor.json"
_REACH = 3.0


@dataclass(frozen=True, eq=False)
class Squash:
    """Features as they are compared: ``clip((asinh(x / scale) - middle) / spread)``; unknown values are usual ones.

    All arrays have shape (k,), in the order of ``columns``.
    """

    columns: tuple[str, ...]
    scale: FloatArray
    middle: FloatArray
    spread: FloatArray

    @classmethod
    def fit(cls, columns: tuple[str, ...], matrix: FloatArray) -> Squash:
        """The usual sizes, the medians and the spreads of the rows of a matrix; what does not vary is left out."""
        scale = np.array([_usual_size(column) for column in np.abs(matrix).T])
        squashed = np.arcsinh(matrix / scale)
        kept = np.nanmax(squashed, axis=0) > np.nanmin(squashed, axis=0)
        named = tuple(name for name, keep in zip(columns, kept, strict=True) if keep)
        middle = np.nanmedian(squashed[:, kept], axis=0)
        return cls(named, scale[kept], middle, np.nanstd(squashed[:, kept], axis=0))

    def __call__(self, features: pa.Table) -> FloatArray:
        """The features of n customers, shape (n, k); 0 is usual, 1 a usual distance from it."""
        return self.of(Encoder(self.columns, {}).matrix(features))

    def of(self, matrix: FloatArray) -> FloatArray:
        """The same of a matrix that has the columns in order."""
        z = (np.arcsinh(matrix / self.scale) - self.middle) / self.spread
        return np.clip(np.where(np.isnan(z), 0.0, z), -_REACH, _REACH)


@dataclass(frozen=True, eq=False)
class Segments:
    """A fitted segmentation.

    Attributes:
        squash: how features are compared.
        axes: what each of the k features adds to each axis, shape (k, axes): on the first, how likely a customer is to
            buy again, on the second, how much.
        centres: of the segments, shape (segments, axes).
        names: of the segments, all different.
        about: one line on each.
        usual: per feature, the values below which 10, 50 and 90 % of the customers lie.
    """

    squash: Squash
    axes: FloatArray
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
        return self.squash.columns

    def which(self, features: pa.Table) -> NDArray[np.intp]:
        """The number of each customer's segment: that of the nearest centre, the first of equally near ones."""
        return nearest(positions(self.squash(features), self.axes), self.centres)

    def predict(self, features: pa.Table) -> dict[str, NDArray[np.object_]]:
        """The name of each customer's segment; the same row gives the same name, alone or among others."""
        return {"segment": np.array(self.names, dtype=object)[self.which(features)]}

    def contributions(self, features: pa.Table) -> Contributions:
        """How much nearer the customer is to the own centre than to the next one (squared distance), by feature.

        The difference of two squared distances is linear in the position, and the position in the squashed features:
        the parts are exact. The base is that of a customer who is usual in everything.
        """
        z = self.squash(features)
        order = np.argsort(distances(positions(z, self.axes), self.centres), axis=1, kind="stable")
        own, other = self.centres[order[:, 0]], self.centres[order[:, min(1, len(self.centres) - 1)]]
        values = z * (2.0 * (self.axes[None] * (own - other)[:, None]).sum(axis=2))
        base = (other**2 - own**2).sum(axis=1)
        return Contributions("segment", "identity", base, self.columns, values)

    def save(self, folder: Path) -> None:
        """Write ``predictor.json`` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(
            folder / _FILE,
            {
                "kind": "segments",
                "columns": list(self.columns),
                "scale": self.squash.scale.tolist(),
                "middle": self.squash.middle.tolist(),
                "spread": self.squash.spread.tolist(),
                "axes": self.axes.tolist(),
                "centres": self.centres.tolist(),
                "names": list(self.names),
                "about": list(self.about),
                "usual": {name: list(ends) for name, ends in self.usual.items()},
            },
        )

    @classmethod
    def load(cls, folder: Path) -> Segments:
        """The segmentation that :meth:`save` wrote; one of custid 0.1, which had an axis for each feature, as well."""
        saved: dict[str, Any] = read_json(folder / _FILE)
        axes = saved["axes"] if "axes" in saved else np.diag(saved["weight"])
        numbers = {name: np.array(saved[name], dtype=np.float64) for name in ("scale", "middle", "spread")}
        columns = tuple(saved["columns"])
        return cls(
            Squash(columns, **numbers),
            np.array(axes, dtype=np.float64).reshape(len(columns), -1),
            np.array(saved["centres"], dtype=np.float64),
            tuple(saved["names"]),
            tuple(saved["about"]),
            {name: (low, mid, high) for name, (low, mid, high) in saved["usual"].items()},
        )


def positions(squashed: FloatArray, axes: FloatArray) -> FloatArray:
    """Squashed features (n, k), weighed into positions (n, axes); feature by feature, so a row alone gives the same.

    >>> positions(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.5, -1.0]])).tolist()
    [[2.0, -2.0]]
    """
    found = np.zeros((len(squashed), axes.shape[1]))
    for column, weights in zip(squashed.T, axes, strict=True):
        found += column[:, None] * weights
    return found


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


def _usual_size(sizes: FloatArray) -> float:
    known = sizes[np.isfinite(sizes) & (sizes > 0)]
    return float(np.median(known)) if known.size else 1.0
