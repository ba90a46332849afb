"""What a feature and a family of features are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc
from typing import TYPE_CHECKING, Any, Literal

from .facts import ORIGIN

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

Unit = Literal[
    "count", "days", "flag", "money", "money per month", "name", "number", "ratio", "score", "seconds", "share", "years"
]
Columns = Mapping[str, Any]
"""Names and the Ibis expressions behind them."""
Measure = Callable[["ibis.Table", "Moment"], Columns]
"""From a table of facts (many rows per customer), aggregates by name."""
Formulas = Callable[["ibis.Table", "Moment"], Columns]
"""From the measures (one row per customer), the features by name."""


@dataclass(frozen=True)
class Feature:
    """One column: what it is called, what it says, in which unit, and whether it is a number or a name."""

    name: str
    about: str
    unit: Unit
    kind: Literal["number", "category"] = "number"


@dataclass(frozen=True)
class Family:
    """Features that belong together.

    A family says which aggregates it takes from which facts, and how its features follow from them. All families'
    aggregates of the same facts are computed in one pass, so a measure's name means the same in every family.

    Parameters
    ----------
    name
        What the family is called: the name of its file.
    features
        Its columns, in order.
    measures
        By the name of the facts (see :class:`~.facts.Facts`), the aggregates to take from them.
    formulas
        The features from the measures; a measure of a customer without such facts is null.

    Examples
    --------
    >>> from custid.features.returns import FAMILY
    >>> FAMILY.name, sorted(FAMILY.needs)
    ('returns', ['transactions'])
    """

    name: str
    features: tuple[Feature, ...]
    measures: Mapping[str, Measure]
    formulas: Formulas

    @property
    def needs(self) -> frozenset[str]:
        """Names of the canonical tables without which the family is left out."""
        return frozenset(ORIGIN[facts] for facts in self.measures)

    @property
    def about(self) -> str:
        """What the family is about: the docstring of its file."""
        return getdoc(import_module(self.formulas.__module__)) or ""
