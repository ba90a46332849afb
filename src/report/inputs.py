"""What the page is made of: the files of a workspace, read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import CustidError
from ..features.observations import HISTORY, alone
from ..workspace import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pyarrow as pa

    from ..config.settings import Config
    from ..workspace import Workspace
    from .drivers import Driver

NUMBERS = (
    "p_high_value",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "p_churn",
    "p_intent",
    "risk",
    "uplift",
)
FACTS = ("spend_365", "purchases", "spend_mean", "days_since_last")
TEXTS = ("customer_id", "tier", "lifecycle", "segment", "next_action")


@dataclass(frozen=True)
class Inputs:
    """Everything that the sections read.

    ``columns`` holds one value per customer under each name of :data:`NUMBERS` and :data:`TEXTS` that the profiles
    have, and under each of :data:`FACTS` that the features have.
    """

    config: Config
    as_of: date
    columns: Mapping[str, np.ndarray[Any, np.dtype[Any]]]
    profiles: pa.Table
    metrics: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    release: Mapping[str, Any] = field(default_factory=dict)
    drivers: Mapping[str, tuple[Driver, ...]] = field(default_factory=dict)
    tracking: str = ""
    prospects: pa.Table | None = None

    @property
    def count(self) -> int:
        """The number of customers."""
        return int(self.profiles.num_rows)

    @property
    def days(self) -> int:
        """The horizon in days."""
        return self.config.needs_horizon().days

    @property
    def has_history(self) -> bool:
        """Whether the features tell of a past, rather than of attributes alone."""
        return bool(HISTORY & {source.table for source in self.config.sources})

    @property
    def in_money(self) -> bool:
        """Whether uplift is a change of money rather than of a chance."""
        return bool(self.metrics.get("uplift", {}).get("curves", {}).get("money"))

    @property
    def currency(self) -> str | None:
        """The currency of all amounts, where it is known."""
        return self.release.get("currency") or self.config.currency.code

    def has(self, *names: str) -> bool:
        """Whether all of these columns are known."""
        return all(name in self.columns for name in names)

    def value(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The expected spend of each customer; what would be negative counts as 0."""
        return np.asarray(np.maximum(self.columns["expected_value"], 0.0))

    def at_stake(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Expected spend times the chance of leaving, per customer."""
        return np.asarray(self.value() * self.columns["p_churn"])


def read_profiles(ws: Workspace) -> tuple[pa.Table, dict[str, np.ndarray[Any, np.dtype[Any]]], date]:
    """The profiles, their columns as arrays (with facts of their past), and the day that they stand on."""
    import pyarrow.parquet as pq

    if not ws.profiles.exists():
        raise CustidError("report: there is no profiles.parquet in the workspace; run `custid profile` first.")
    profiles = pq.read_table(ws.profiles)
    if not profiles.num_rows:
        raise CustidError("report: profiles.parquet has no customers.")
    columns = {n: profiles[n].to_numpy().astype(np.float64) for n in NUMBERS if n in profiles.column_names}
    columns |= {n: profiles[n].to_numpy(zero_copy_only=False) for n in TEXTS if n in profiles.column_names}
    return profiles, columns | _facts(ws, profiles), profiles["as_of"][0].as_py()


def _facts(ws: Workspace, profiles: pa.Table) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    """What the page tells of the customers' past, as far as the features say it; NaN where it is unknown."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not ws.features.exists() or alone(ws.tables()):
        return {}
    there = [name for name in FACTS if name in pq.read_schema(ws.features).names]
    features = pq.read_table(ws.features, columns=["customer_id", *there])
    at = pc.index_in(profiles["customer_id"], value_set=features["customer_id"].combine_chunks())
    return {name: features[name].take(at).to_numpy().astype(np.float64) for name in there}


def read_prospects(ws: Workspace) -> pa.Table | None:
    """Those who have not bought yet; None where nobody asked about them."""
    import pyarrow.parquet as pq

    return pq.read_table(ws.prospects) if ws.prospects.exists() else None


def read_files(ws: Workspace) -> tuple[dict[str, Any], dict[str, Any]]:
    """metrics.json and quality.json; empty where there is none."""
    return read_json(ws.metrics, {}), read_json(ws.quality, {})
