"""Whole runs on tables without purchases: labelled rows, contracts, a mailing."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from custid.config import load
from custid.config.settings import ServingSettings
from custid.errors import ConfigError
from custid.metrics import auc
from custid.pipeline import STAGES, run
from custid.registry import Registry
from custid.serving.engine import Engine
from custid.serving.openapi import document
from custid.serving.schema import parse
from custid.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ("tuning.trials=2", "training.snapshots=4", "training.resamples=20", "explain.customers=20")


def ran(folder: Path, settings: dict[str, Any], *more: str) -> Workspace:
    """A finished run of a config."""
    path = folder / "custid.yaml"
    path.write_text(yaml.safe_dump({"workspace": str(folder / "ws"), **settings}), encoding="utf-8")
    config = load(path, [*QUICK, "explain.background=50", *more])
    assert run(config).ran == STAGES
    assert run(config).skipped == STAGES
    return Workspace(config.workspace)


def read(ws: Workspace) -> tuple[pa.Table, pa.Table, dict[str, Any], str]:
    metrics = json.loads(ws.metrics.read_text())
    return pq.read_table(ws.scores), pq.read_table(ws.profiles), metrics, ws.report.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Subscribers as a company might export them, a fifth of them without a label."""
    folder, rng, n = tmp_path_factory.mktemp("labelled"), np.random.default_rng(1), 300
    months, fee = rng.integers(0, 60, n), np.round(rng.normal(60, 20, n), 2)
    gone = rng.random(n) < 1 / (1 + np.exp(-(1.5 - months / 12 + (fee - 60) / 30)))
    lines = ["customerID,Partner,age,Contract,MonthlyCharges,TotalCharges,Churn"]
    for i in range(n):
        label = "" if i % 5 == 0 else "Yes" if gone[i] else "No"
        total = " " if months[i] == 0 else f"{months[i] * fee[i]:.2f}"
        contract = "Two year" if months[i] > 30 else "Month-to-month"
        lines.append(f"{i:04d}-A,{'Yes' if i % 3 else 'No'},{20 + i % 50},{contract},{fee[i]},{total},{label}")
    (folder / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    source = {
        "name": "crm",
        "table": "observations",
        "uri": str(folder / "rows.csv"),
        "columns": {"record_id": "customerID", "label": "Churn"},
    }
    return ran(folder, {"as_of": "2024-06-01", "horizon": "30d", "sources": [source]})


def test_labelled_rows_are_scored_every_one_with_reasons_and_a_report(labelled):
    scores, profiles, metrics, report = read(labelled)
    assert scores.column_names == ["customer_id", "as_of", "release", "p_churn"]
    assert scores.num_rows == 300
    assert not any(column.null_count for column in scores.columns)
    assert metrics["churn"]["n"] == 240
    assert metrics["churn"]["model"]["auc"]["value"] > 0.6
    told = [reason for reasons in profiles["reasons"].to_pylist() for reason in reasons]
    texts = " ".join(reason["text"] for reason in told)
    assert "Monthly Charges: " in texts
    assert "purchase" not in texts
    assert "new" not in set(profiles["lifecycle"].to_pylist())  # a column called age is not the age of a customership
    assert "what the table&#39;s label calls leaving" in report
    assert "Whom it pays to contact" in report
    assert "no purchase in" not in report


def test_the_endpoint_answers_for_observations_as_the_batch_does(labelled):
    config = load(labelled.root.parent / "custid.yaml", QUICK)
    registry = Registry(config, labelled)
    engine = Engine(registry.fetch(registry.champion()), ServingSettings())
    rows = pq.read_table(labelled.features).slice(0, 5).to_pylist()
    batch = pq.read_table(labelled.scores)["p_churn"].to_pylist()[:5]
    by_name = [{"features": {k: v for k, v in row.items() if k not in ("customer_id", "as_of")}} for row in rows]
    by_row = []
    for row in by_name:
        attributes = {k: bool(v) if k == "Partner" else v for k, v in row["features"].items() if v is not None}
        by_row.append({"observations": [attributes]})
    for customers in (by_name, by_row):
        asked = parse(msgspec.json.encode({"customers": customers}), engine.rules)
        assert [answer["p_churn"] for answer in engine.score(asked)] == batch
        for answer in engine.explain(asked):
            parts = [reason.contribution for reason in answer["explanations"]["churn"]["reasons"]]
            assert 1 / (1 + np.exp(-sum(parts))) == pytest.approx(answer["p_churn"], abs=1e-9)
    schemas = document(engine, None)["components"]["schemas"]
    row = next(s for s in schemas["Request"]["properties"]["customers"]["oneOf"] if "observations" in str(s))
    columns = row["items"]["properties"]["observations"]["items"]["properties"]
    assert columns["Partner"]["type"] == "boolean"
    assert "label" not in columns


@pytest.fixture(scope="module")
def contracts(tmp_path_factory):
    """Subscriptions alone: the basic plan ends sooner."""
    folder, rng, n = tmp_path_factory.mktemp("contracts"), np.random.default_rng(2), 700
    start = datetime(2022, 1, 1)
    begun = [start + timedelta(days=int(day)) for day in rng.integers(0, 600, n)]
    basic = rng.random(n) < 0.5
    length = rng.exponential(np.where(basic, 150, 900))
    ended = [at + timedelta(days=float(days)) for at, days in zip(begun, length, strict=True)]
    table = pa.table(
        {
            "record_id": [f"s{i:04d}" for i in range(n)],
            "started_at": pa.array(begun, pa.timestamp("us")),
            "ended_at": pa.array([e if e < datetime(2024, 1, 1) else None for e in ended], pa.timestamp("us")),
            "plan": np.where(basic, "basic", "full"),
            "fee": np.where(basic, 10.0, 25.0),
        }
    )
    pq.write_table(table, folder / "rows.parquet")
    source = {"name": "billing", "table": "subscriptions", "uri": str(folder / "rows.parquet")}
    ws = ran(folder, {"as_of": "2023-09-01", "horizon": "60d", "sources": [source]})
    return ws, dict(zip(table["record_id"].to_pylist(), ended, strict=True))


def test_contracts_are_learnt_from_subscriptions_alone(contracts):
    ws, ended = contracts
    scores, _, metrics, report = read(ws)
    block = metrics["churn"]
    assert set(block["baselines"]) == {"tenure", "plan", "prior", "xgboost"}
    assert block["model"]["auc"]["value"] > 0.55
    assert "the end of the last open subscription" in report
    day = date(2023, 9, 1)
    left = [datetime(2023, 9, 1) <= ended[i] < datetime(2023, 10, 31) for i in scores["customer_id"].to_pylist()]
    assert auc(np.array(left, dtype=float), scores["p_churn"].to_numpy()) > 0.6
    assert scores["p_churn"].to_numpy().mean() == pytest.approx(np.mean(left), abs=0.08)
    assert set(scores["as_of"].to_pylist()) == {day}
    assert all(ended[i] >= datetime(2023, 9, 1) for i in scores["customer_id"].to_pylist())


@pytest.fixture(scope="module")
def mailing(tmp_path_factory):
    """A mailing whose women's offer moves those who bought women's clothes; a third got another offer."""
    folder, rng, n = tmp_path_factory.mktemp("mailing"), np.random.default_rng(3), 1200
    womens, history = rng.random(n) < 0.5, np.round(rng.gamma(2, 100, n), 2)
    arm = rng.choice(["Womens E-Mail", "Mens E-Mail", "No E-Mail"], n)
    visit = rng.random(n) < 0.1 + 0.35 * womens * (arm == "Womens E-Mail")
    lines = ["womens,history,zip_code,segment,visit,spend"]
    lines += [
        f"{int(w)},{h},{'Rural' if i % 3 else 'Urban'},{a},{int(v)},{10 * int(v)}"
        for i, (w, h, a, v) in enumerate(zip(womens, history, arm, visit, strict=True))
    ]
    (folder / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    source = {
        "name": "mail",
        "table": "observations",
        "uri": str(folder / "rows.csv"),
        "columns": {"treated": "segment", "outcome": "visit"},
        "values": {"treated": {"Womens E-Mail": True, "No E-Mail": False}},
        "ignore": ["spend"],
    }
    ws = ran(folder, {"as_of": "2024-06-01", "horizon": "14d", "sources": [source]})
    return ws, arm


def test_a_mailing_is_learnt_from_and_everyone_is_scored(mailing):
    ws, arm = mailing
    scores, profiles, metrics, report = read(ws)
    assert scores.column_names == ["customer_id", "as_of", "release", "uplift"]
    assert scores.num_rows == 1200
    assert metrics["uplift"]["n"] == int((arm != "Mens E-Mail").sum())
    assert metrics["uplift"]["model"]["qini"]["low"] > 0
    features = pq.read_table(ws.features)
    assert features.column_names == ["customer_id", "as_of", "womens", "history", "zip_code"]
    likes = features["womens"].to_numpy()
    assert auc(likes, scores["uplift"].to_numpy()) > 0.9
    assert any(reasons for reasons in profiles["reasons"].to_pylist())
    assert "Whom contact changes" in report


def test_what_the_tables_cannot_answer_ends_in_a_sentence(tmp_path):
    text = "sources: [{name: a, table: observations, uri: a.csv}]\ntasks: [clv]\nhorizon: 30d\n"
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match="clv is learnt from transactions, and the sources fill observations"):
        load(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match="form 'contractual' is learnt from subscriptions"):
        load(tmp_path / "a.yaml", ["tasks=[churn]", "churn.form=contractual"])


def some_of(path: Path, folder: Path, rows: int) -> Path:
    """The first rows of a text file, and its header."""
    with path.open(encoding="utf-8") as file:
        (folder / path.name).write_text("".join(line for _, line in zip(range(rows + 1), file, strict=False)))
    return folder / path.name


def test_real_subscribers(root, public_data, tmp_path):
    path = some_of(public_data / "telco" / "Telco-Customer-Churn.csv", tmp_path, 1_500)
    uri = f"sources.subscribers.uri={path}"
    config = load(root / "configs" / "telco.yaml", [*QUICK, uri, f"workspace={tmp_path / 'ws'}"])
    run(config)
    scores, _, metrics, _ = read(Workspace(config.workspace))
    assert scores.num_rows == 1_500
    assert metrics["churn"]["model"]["auc"]["value"] > 0.8


def test_a_real_mailing(root, public_data, tmp_path):
    path = some_of(public_data / "hillstrom" / "hillstrom.csv", tmp_path, 5_000)
    config = load(
        root / "configs" / "hillstrom.yaml",
        [*QUICK, f"sources.mailing.uri={path}", f"workspace={tmp_path / 'ws'}"],
    )
    run(config)
    scores, _, metrics, _ = read(Workspace(config.workspace))
    assert scores.num_rows == 5_000
    assert metrics["uplift"]["model"]["average_effect"]["low"] > 0
