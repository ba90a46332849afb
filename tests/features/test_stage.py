"""The stage `features`: with `features.keep`, a later day takes but its new rows, and says the same."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import ConfigError
from custid.pipeline import run
from custid.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2024, 1, 1)


@pytest.fixture
def shop(tmp_path: Path):
    """The stage `features` over a shop's rows up to a day, in a workspace; what it said, and its features."""

    def made(day: date, *sets: str, workspace: str = "kept", price: int = 10):
        days = range((day - FIRST).days)
        rows = ["record_id,ts,amount", *(f"c{n % 7},{FIRST + timedelta(days=n)},{price + n % 3}" for n in days)]
        (tmp_path / "shop.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        config = tmp_path / "shop.yaml"
        config.write_text(
            f"sources: [{{name: shop, table: transactions, uri: {tmp_path / 'shop.csv'}}}]\n"
            f"workspace: {tmp_path / workspace}\nhorizon: 30d\nas_of: {day}\n",
            encoding="utf-8",
        )
        said: list[str] = []
        run(load(config, list(sets)), "features", show=lambda _: nullcontext(said.append))
        ws = Workspace(tmp_path / workspace)
        return any("new rows" in text for text in said), pq.read_table(ws.features), ws

    return made


def test_a_later_day_takes_but_its_new_rows(shop):
    for n, length in enumerate((50, 51, 90)):
        day = FIRST + timedelta(days=length)
        renewed, features, ws = shop(day, "features.keep=true")
        assert renewed == (n > 0)
        assert ws.kept_features.is_dir()
        assert features.equals(shop(day, workspace="whole")[1])


def test_rows_that_are_not_as_they_were_are_all_read_anew(shop):
    shop(FIRST + timedelta(days=50), "features.keep=true")
    day = FIRST + timedelta(days=60)
    renewed, features, _ = shop(day, "features.keep=true", price=20)
    assert not renewed
    assert features.equals(shop(day, workspace="whole", price=20)[1])


def test_nothing_is_kept_that_is_not_asked_for(shop):
    shop(FIRST + timedelta(days=50), "features.keep=true")
    renewed, _, ws = shop(FIRST + timedelta(days=50))
    assert not renewed
    assert not ws.kept_features.exists()


def test_spark_keeps_nothing(shop):
    with pytest.raises(ConfigError, match=r"features\.keep: false"):
        shop(FIRST + timedelta(days=50), "features.keep=true", "engine=spark")
