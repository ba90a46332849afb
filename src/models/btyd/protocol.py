"""What the three transaction models have in common, so that callers can loop over them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from .bgnbd import BgNbd
from .mbgnbd import MbgNbd
from .paretonbd import ParetoNbd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from .fitting import Diagnostics
    from .histories import FloatArray, Histories


class TransactionModel(Protocol):
    """A model of repeat purchases, fitted."""

    kind: ClassVar[str]
    title: ClassVar[str]

    @property
    def diagnostics(self) -> Diagnostics:
        """How the fit went."""

    @classmethod
    def fit(cls, histories: Histories, *, penalty: float = 0.0) -> Self:
        """Maximum likelihood."""

    def log_likelihood(self, histories: Histories) -> FloatArray:
        """Of each customer's history."""

    def p_alive(self, histories: Histories) -> FloatArray:
        """Probability of not having left for good."""

    def expected_purchases(self, histories: Histories, horizon: ArrayLike) -> FloatArray:
        """Expected purchases within the horizon."""

    def p_purchase_within(self, histories: Histories, horizon: ArrayLike) -> FloatArray:
        """Probability of at least one purchase within the horizon."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON keeps exactly."""

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The fitted model that :meth:`to_dict` described."""


TRANSACTION_MODELS: Mapping[str, type[TransactionModel]] = MappingProxyType(
    {model.kind: model for model in (BgNbd, MbgNbd, ParetoNbd)}
)
"""The models by their ``kind``, in the order of the work they cost."""
