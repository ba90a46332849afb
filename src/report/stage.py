"""The stage ``report``: reads a workspace, writes one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..features.table import catalogue_of
from ..profiles.stage import maker
from ..profiles.wording import words_of
from ..registry import tracking_uri
from ..workspace import Note, Workspace, silent, write_text
from .drivers import Driver, drivers, sample
from .inputs import Inputs, read_files, read_profiles, read_prospects
from .page import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from ..config import Config
    from ..models.bundle import Bundle


def report(config: Config, ws: Workspace, note: Note = silent) -> None:
    """Write ``report.html``: one page that needs no network and no other file.

    Raises
    ------
    CustidError
        Where there are no profiles to report on.
    """
    profiles, columns, day = read_profiles(ws)
    metrics, quality = read_files(ws)
    made_by = maker(config, ws, profiles)
    known: dict[str, Any] = {"prospects": read_prospects(ws)}
    if made_by is not None:
        note("looking for what drives the scores")
        release, bundle = made_by
        known["release"] = {**release.manifest, "release": release.id}
        known["drivers"] = driven(bundle, ws, config.explain.background, release.manifest["features"])
    note("drawing the page")
    inputs = Inputs(config, day, columns, profiles, metrics, quality, tracking=_place(config, ws), **known)
    write_text(ws.report, page(inputs))


def driven(bundle: Bundle, ws: Workspace, most: int, trained: Mapping[str, Any]) -> dict[str, tuple[Driver, ...]]:
    """The drivers of every score that the page shows, from at most ``most`` customers."""
    import pyarrow.parquet as pq

    ids = pq.read_table(ws.features, columns=["customer_id"])["customer_id"].to_pylist()
    rows = pq.read_table(ws.features, filters=[("customer_id", "in", sample(ids, most))]).sort_by("customer_id")
    numbers = {f.name for f in catalogue_of(trained) if f.kind == "number"} & set(rows.column_names)
    columns = {name: _numbers(rows, name) for name in numbers}
    spoken = words_of(trained)
    return {
        task: drivers(predictor.contributions(rows), columns, spoken)
        for task, predictor in bundle.predictors.items()
        if task in ("churn", "clv", "uplift")
    }


def _numbers(rows: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(rows[name].to_numpy(), dtype=np.float64)


def _place(config: Config, ws: Workspace) -> str:
    """Where MLflow lies, as a reader may see it: no password, and the workspace as the config names it."""
    uri = tracking_uri(config, ws)
    if uri == ws.tracking_uri:
        return f"sqlite:///{ws.mlflow_db.as_posix()}"
    return uri.partition("://")[0] + "://" + uri.partition("://")[2].rpartition("@")[2]
