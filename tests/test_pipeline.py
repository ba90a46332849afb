"""Running, running again, being killed, and the wall: on a real run over simulated customers."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import ConfigError, InputError
from custid.pipeline import STAGES, run
from custid.workspace import Workspace, digest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(made, tmp_path):
    """A copy of the finished run that a test may change."""
    shutil.copytree(made.workspace, tmp_path / "ws")
    return lambda *more: load(made.config, [*made.overrides, f"workspace={tmp_path / 'ws'}", *more])


def test_the_files_that_are_a_contract_are_there(made):
    ws = Workspace(made.workspace)
    for path in (ws.quality, ws.identity, ws.features, ws.scores, ws.profiles, ws.metrics, ws.report, ws.mlflow_db):
        assert path.stat().st_size > 0
    scores = pq.read_table(ws.scores)
    assert scores.column_names == [
        "customer_id", "as_of", "release", "p_high_value", "expected_value", "expected_value_low",
        "expected_value_high", "p_churn", "p_intent", "segment", "risk", "uplift",
    ]  # fmt: skip
    assert all(column.null_count == 0 for column in scores.columns)
    assert scores["customer_id"].to_pylist() == sorted(set(scores["customer_id"].to_pylist()))
    for name in ("p_high_value", "p_churn", "p_intent", "risk"):
        assert 0 <= pc.min(scores[name]).as_py() <= pc.max(scores[name]).as_py() <= 1
    low, value, high = (scores[f"expected_value{end}"] for end in ("_low", "", "_high"))
    assert pc.all(pc.less_equal(low, value)).as_py()
    assert pc.all(pc.less_equal(value, high)).as_py()
    prospects = pq.read_table(ws.prospects)
    assert prospects.column_names == [
        "customer_id", "as_of", "release", "p_first_purchase", "expected_first_value", "known_by", "reasons",
    ]  # fmt: skip
    assert not set(prospects["customer_id"].to_pylist()) & set(scores["customer_id"].to_pylist())
    assert digest(ws.prospects) == digest(next((made.workspace / "scores").glob("as_of=*/prospects.parquet")))
    assert digest(ws.scores) == digest(next((made.workspace / "scores").glob("as_of=*/scores.parquet")))


def test_a_second_run_does_nothing(copy):
    outcome = run(copy())
    assert outcome.ran == ()
    assert outcome.skipped == STAGES


@pytest.mark.parametrize(
    ("change", "ran"),
    [
        ("tiers.vip_share=0.2", ("profile", "report")),
        ("serving.port=3001", ()),
        ("explain.reasons=2", ("score", "profile", "report")),
    ],
)
def test_a_changed_setting_redoes_what_depends_on_it(copy, change, ran):
    assert run(copy(change)).ran == ran


def test_a_lost_file_is_made_again_and_no_more(copy):
    config = copy()
    ws = Workspace(config.workspace)
    before = digest(ws.scores)
    ws.scores.unlink()
    assert run(config).ran == ("score",)
    assert digest(ws.scores) == before


def test_score_never_trains(made, tmp_path):
    config = load(made.config, [*made.overrides, f"workspace={tmp_path / 'ws'}"])
    with pytest.raises(InputError, match="train"):
        run(config, "score", train=False)
    assert not Workspace(config.workspace).metrics.exists()


def test_ingest_needs_no_horizon_and_features_do(made, tmp_path):
    config = load(made.config, [*made.overrides, f"workspace={tmp_path / 'ws'}", "horizon=null"])
    assert run(config, "resolve").ran == ("ingest", "resolve")
    with pytest.raises(ConfigError, match="horizon"):
        run(config, "features")


def start(made, workspace: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "custid", "run", str(made.config), "--workspace", str(workspace)]
    for pair in made.overrides:
        words += ["--set", pair]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills by POSIX signals")
def test_a_killed_run_ends_with_the_same_scores(made, tmp_path):
    """Killed at one moment after the other in the same workspace, each as soon as a file appears."""
    workspace = tmp_path / "ws"
    ws = Workspace(workspace)
    moments = [
        lambda: ws.state.exists(),
        lambda: ws.identity.exists(),
        lambda: any((workspace / "snapshots").glob("*/features.parquet")),
        lambda: ws.studies.exists() and ws.studies.stat().st_size > 0,
        lambda: ws.metrics.exists(),
        lambda: ws.scores.exists(),
    ]
    for reached in moments:
        with start(made, workspace) as process:
            while process.poll() is None and not reached():
                time.sleep(0.01)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with start(made, workspace) as process:
        _, complaint = process.communicate(timeout=600)
    assert process.returncode == 0, complaint.decode()
    ours, theirs = pq.read_table(ws.scores), pq.read_table(Workspace(made.workspace).scores)
    assert ours.drop(["release"]).equals(theirs.drop(["release"]))
    assert not list(workspace.rglob("*.draft"))


@pytest.mark.slow
def test_rows_behind_the_wall_change_nothing(tmp_path, quick):
    """Rows at or after as_of are added, changed and removed: features, identity and scores stay, to the bit."""
    rng = random.Random(5)
    rows = [
        {
            "customer_id": f"c{c}",
            "ts": f"2023-{1 + d // 28:02d}-{1 + d % 28:02d} 10:00:00",
            "amount": rng.randint(5, 90),
        }
        for c in range(300)
        for d in sorted(rng.sample(range(336), rng.choice([1, 1, 2, 4, 9])))
    ]
    variants = {
        "whole": rows,
        "cut": [r for r in rows if r["ts"] < "2023-11-01"],
        "changed": [r if r["ts"] < "2023-11-01" else r | {"amount": 10_000, "customer_id": "c1"} for r in rows],
        "added": [*rows, *({"customer_id": f"new{i}", "ts": "2023-12-24 00:00:00", "amount": 9} for i in range(500))],
    }
    found = {}
    for name, variant in variants.items():
        folder = tmp_path / name
        folder.mkdir()
        pq.write_table(pa.Table.from_pylist(variant), folder / "orders.parquet")
        config = folder / "shop.yaml"
        config.write_text(
            "name: shop\nas_of: 2023-11-01\nhorizon: 60d\n"
            f"sources: [{{name: shop, table: transactions, uri: '{folder / 'orders.parquet'}'}}]\n"
        )
        settings = load(config, [*quick, f"workspace={folder / 'ws'}", "training.min_history=30d"])
        run(settings, "score")
        ws = Workspace(settings.workspace)
        found[name] = [pq.read_table(p) for p in (ws.features, ws.identity, ws.scores)]
    for name in ("cut", "changed", "added"):
        for ours, theirs in zip(found[name], found["whole"], strict=True):
            assert ours.equals(theirs), name


def test_what_is_lost_comes_back_whatever_the_sources_are_called(tmp_path):
    (tmp_path / "orders.csv").write_text("customer_id,ts,amount\n1,2024-01-01,5\n,2024-01-02,5\n2,2024-03-01,5\n")
    (tmp_path / "shop.yaml").write_text(
        f"as_of: 2024-02-01\nsources: [{{name: transactions, table: transactions, uri: '{tmp_path / 'orders.csv'}'}}]"
    )
    config = load(tmp_path / "shop.yaml", [f"workspace={tmp_path / 'ws'}"])
    ws = Workspace(config.workspace)
    run(config, "ingest")
    for lost in (ws.table("transactions"), ws.later("transactions"), ws.refused("transactions"), ws.quality):
        lost.unlink()
        assert run(config, "ingest").ran == ("ingest",), lost
        assert lost.exists()


def test_the_kept_scores_and_the_services_store_are_made_again(copy):
    config = copy()
    ws = Workspace(config.workspace)
    next((ws.root / "scores").glob("as_of=*/scores.parquet")).unlink()
    ws.profiles_db.unlink()
    assert run(config).ran == ("score", "profile")
    assert ws.profiles_db.exists()
    assert len(list((ws.root / "scores").glob("as_of=*/scores.parquet"))) == 1
