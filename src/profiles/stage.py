"""The stage ``profile``: what the scores mean, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import CustidError
from ..features.observations import alone
from ..models.bundle import Bundle
from ..registry import Registry
from ..workspace import Note, Workspace, silent, write_parquet
from .actions import next_actions
from .lifecycle import stages
from .reasons import looked_at, made
from .rules import missing
from .tiers import tiers
from .wording import words_of

if TYPE_CHECKING:
    import pyarrow as pa

    from ..config import Config
    from ..registry import Release

SCORES = ("p_high_value", "expected_value", "p_churn", "p_intent", "segment", "risk", "uplift")
"""Columns of the scores that the rules look at."""

FACTS = ("age", "days_since_last")
"""Columns of the features that the rules look at; attributes of observations may bear the names and mean others."""


def profile(config: Config, ws: Workspace, note: Note = silent) -> None:
    """Add tier, lifecycle stage, next action and reasons to the scores.

    Writes ``profiles.parquet``: the scores in the order of customer_id, then ``tier``, ``lifecycle``, ``next_action``
    and ``reasons`` (a list, empty for those who are not explained).

    Raises
    ------
    CustidError
        Where the scores and the features are not of the same customers and day.
    """
    scores, facts = read(ws)
    known = {name: _values(scores, name) for name in SCORES if name in scores.column_names}
    known |= {name: _values(facts, name) for name in FACTS if name in facts.column_names}
    for sentence in missing(config, known):
        note(sentence)
    profiles = judged(config, scores, known)
    write_parquet(ws.profiles, profiles.append_column("reasons", _reasons(config, ws, scores, known, note)))


def judged(config: Config, scores: pa.Table, known: dict[str, np.ndarray[Any, np.dtype[Any]]]) -> pa.Table:
    """The scores with tier, lifecycle stage and next action."""
    import pyarrow as pa

    count = scores.num_rows
    found = {
        "tier": tiers(known, count, config.tiers),
        "lifecycle": stages(known, count, config.lifecycle, config.needs_horizon()),
    }
    found["next_action"] = next_actions(known | found, config.actions)
    for name, values in found.items():
        scores = scores.append_column(name, pa.array(values, pa.string()))
    return scores


def read(ws: Workspace) -> tuple[pa.Table, pa.Table]:
    """The scores and the facts of the same customers and day, both in the order of customer_id."""
    import pyarrow.parquet as pq

    scores = pq.read_table(ws.scores).sort_by("customer_id")
    wanted = ("customer_id", "as_of", *(() if alone(ws.tables()) else FACTS))
    columns = [name for name in wanted if name in pq.read_schema(ws.features).names]
    facts = pq.read_table(ws.features, columns=columns).sort_by("customer_id")
    if not scores["customer_id"].equals(facts["customer_id"]):
        raise CustidError(
            f"{ws.scores.name} and {ws.features.name} are not of the same customers ({scores.num_rows:,} and "
            f"{facts.num_rows:,}); run `custid score CONFIG` again."
        )
    if not scores["as_of"].equals(facts["as_of"]):
        raise CustidError(
            f"{ws.scores.name} and {ws.features.name} are not of the same day; run `custid score CONFIG`."
        )
    return scores, facts


def maker(config: Config, ws: Workspace, scores: pa.Table) -> tuple[Release, Bundle] | None:
    """The release that made the scores, with its models; None where it is no longer known.

    Raises
    ------
    InputError
        Where it was trained as of a later day than the scores'.
    """
    name = scores["release"][0].as_py()
    registry = Registry(config, ws)
    found = registry.named(name)
    if found is None:
        return None
    found.require_unknowing(scores["as_of"][0].as_py())
    return found, Bundle.load(registry.fetch(found))


def _reasons(
    config: Config, ws: Workspace, scores: pa.Table, known: dict[str, np.ndarray[Any, np.dtype[Any]]], note: Note
) -> pa.Array:
    import pyarrow as pa
    import pyarrow.parquet as pq

    chosen = looked_at(known, scores.num_rows, config.explain.customers)
    nothing: list[dict[str, Any]] = []
    told = [nothing] * scores.num_rows
    if len(chosen):
        found = maker(config, ws, scores)
        if found is None:
            raise CustidError(f"{ws.scores.name}: its release is no longer known; run `custid score CONFIG` again.")
        ids = scores["customer_id"].take(chosen)
        rows = pq.read_table(ws.features, filters=[("customer_id", "in", ids.to_pylist())]).sort_by("customer_id")
        spoken = words_of(found[0].manifest["features"])
        for i, mine in zip(chosen.tolist(), made(found[1], rows, spoken, config.explain.reasons, note), strict=True):
            told[i] = mine
    return pa.array(told, reason_type())


def reason_type() -> pa.DataType:
    """The Arrow type of a customer's reasons."""
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("task", "feature", "text")]
    return pa.list_(pa.struct([*texts, *((name, pa.float64()) for name in ("value", "low", "high", "contribution"))]))


def _values(table: pa.Table, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    if name == "segment":
        return np.asarray(table[name].to_numpy(zero_copy_only=False))
    return np.asarray(table[name].to_numpy(), dtype=np.float64)
