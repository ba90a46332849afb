"""A loaded release that answers: scores and their reasons, for features or raw records."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..config.settings import QualitySettings
from ..explain import reasons
from ..features.single import Recompute
from ..features.table import catalogue_of
from ..models.bundle import Bundle
from ..profiles.wording import words_of
from .flags import flagged
from .manifest import read_manifest
from .refusal import wrong
from .schema import Request, Rules

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from ..config.settings import ServingSettings


class Engine:
    """One release, whole: its models, what they ask of a request, and the feature code that they were trained on.

    Parameters
    ----------
    folder
        A release: ``manifest.json`` and a folder per task.
    settings
        The most customers of a request, and how many reasons an answer gives.

    Raises
    ------
    InputError
        Where there is no release in the folder, or it was trained on features of other code.
    """

    def __init__(self, folder: Path, settings: ServingSettings) -> None:
        manifest = read_manifest(folder)
        trained = manifest["features"]
        self.manifest = manifest
        self.release: str = manifest["release"]
        self.as_of = date.fromisoformat(manifest["as_of"])
        self.settings = settings
        self.bundle = Bundle.load(folder)
        self.quality = QualitySettings.model_validate(manifest["quality"])
        known = {feature.name: feature for feature in catalogue_of(trained)}
        self.features = [known[name] for name in trained["columns"] if name in known]
        self.words = words_of(trained)
        self.rules = Rules(
            kinds={feature.name: feature.kind for feature in self.features},
            needed=frozenset(self.bundle.columns),
            tables=tuple(trained["tables"]),
            as_of=self.as_of,
            max_rows=settings.max_rows,
            currency=manifest.get("currency"),
            attributes=trained.get("attributes") or {},
        )

    @cached_property
    def recompute(self) -> Recompute:
        """The batch's feature code, compiled for a few customers."""
        return Recompute(self.rules.tables, self.quality.drop, self.rules.attributes)

    def features_of(self, request: Request) -> pa.Table:
        """The feature rows that a request is about, in its order: as given, or computed from its records."""
        import pyarrow as pa

        places = [str(i) for i in range(len(request.ids))]
        days = pa.repeat(pa.scalar(request.as_of), len(places))
        if request.features is not None:
            kinds, needed = self.rules.kinds, self.rules.needed
            columns = {
                name: pa.array(values, pa.string() if kinds[name] == "category" else pa.float64())
                for name, values in request.features.items()
                if name in needed
            }
            return pa.table({"customer_id": pa.array(places), "as_of": days, **columns})
        tables = dict(request.tables or {})
        if self.quality.drop and "transactions" in tables:
            tables["transactions"] = flagged(tables["transactions"], self.quality)
        made = self.recompute.features(tables, request.as_of)
        rows = {customer: i for i, customer in enumerate(made["customer_id"].to_pylist())}
        for place in places:
            if place not in rows:
                raise wrong(f"customers[{place}]", _nothing_known(self.rules, request.as_of))
        return made.take([rows[place] for place in places])

    def score(self, request: Request) -> list[dict[str, Any]]:
        """Per customer of a request: the id it came with and the scores of every task."""
        return self._scored(request, self.features_of(request))

    def explain(self, request: Request) -> list[dict[str, Any]]:
        """Per customer: the scores, and for each task its link and the reasons that sum to the score on that link."""
        features = self.features_of(request)
        answers = self._scored(request, features)
        values = features.to_pydict()
        for task, predictor in self.bundle.predictors.items():
            parts = predictor.contributions(features)
            found = reasons(task, parts, values, predictor.usual, self.words, self.settings.reasons)
            for answer, told in zip(answers, found, strict=True):
                part = {"output": parts.output, "link": parts.link, "reasons": told}
                answer.setdefault("explanations", {})[task] = part
        return answers

    def _scored(self, request: Request, features: pa.Table) -> list[dict[str, Any]]:
        scores = self.bundle.predict(features)
        names = [name for name in scores.column_names if name not in ("customer_id", "as_of")]
        columns = [scores[name].to_pylist() for name in names]
        for column in columns:
            for i, value in enumerate(column):
                if isinstance(value, float) and not isfinite(value):
                    raise wrong(
                        f"customers[{i}]", "values too far from any customer's for a score; expected usual ones."
                    )
        return [
            {"customer_id": customer, **dict(zip(names, row, strict=True))}
            for customer, row in zip(request.ids, zip(*columns, strict=True), strict=True)
        ]

    def warm(self) -> None:
        """Answer once for a customer of whom nothing is known, so that the first real request does not wait."""
        unknown = {name: [None] for name in self.rules.kinds}
        self.explain(Request([None], self.as_of, features=unknown))
        self.recompute.warm(self.as_of)


_KNOWN_BY = {
    "transactions": "an order whose lines sum to more than 0",
    "subscriptions": "an open subscription",
    "observations": "an observation",
}


def _nothing_known(rules: Rules, as_of: date) -> str:
    """What a customer's records lack for there to be features."""
    expected = [known for table, known in _KNOWN_BY.items() if table in rules.tables]
    return f"nothing bought before {as_of}; expected {' or '.join(expected)}."
