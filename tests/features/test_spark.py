"""The same features on Spark: every family, on one local session."""

from __future__ import annotations

import shutil
import sys
import warnings
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.config import parse
from custid.errors import InputError
from custid.features.engines import connect
from custid.features.table import families, wanted
from custid.features.write import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
DAY = date(2024, 3, 15)
CONFIG = "engine: spark\nsources: [{name: shop, table: transactions, uri: shop.csv}]"
SMALL = {  # for some hundred rows, compiling what runs costs more than running it
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
HERE = find_spec("pyspark") is not None and shutil.which("java") is not None


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """One session for all tests."""
    if not HERE:
        pytest.skip("Spark needs pyspark (`pip install custid[spark]`) and Java 17")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # pyspark warns of newer pandas and of its own deprecations
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        con = connect(parse(CONFIG, "custid.yaml"))
        for name, value in SMALL.items():
            con.raw_sql(f"SET {name}={value}")
        yield con
        con.disconnect()


@pytest.fixture(scope="module")
def both(spark: Any, history: Any, canon: Any, batch: Any, tmp_path_factory: Any) -> tuple[pa.Table, pa.Table]:
    """The features of the same rows by DuckDB and by Spark."""
    folder: Path = tmp_path_factory.mktemp("spark")
    rows = {name: canon(name, made) for name, made in history(31, 24).items()}
    opened = {}
    for name, table in rows.items():
        pq.write_table(table, folder / f"{name}.parquet")
        opened[name] = spark.read_parquet(str(folder / f"{name}.parquet"))
    drop = ("cancellations",)
    opened["transactions"] = wanted(opened["transactions"], drop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(spark, opened, {DAY: folder / "features.parquet"})
    return batch(rows, DAY, drop=drop), pq.read_table(folder / "features.parquet")


def test_the_same_customers(both: tuple[pa.Table, pa.Table]) -> None:
    duckdb, spark = both
    assert duckdb.num_rows > 15
    assert spark.schema.equals(duckdb.schema)
    assert spark["customer_id"].to_pylist() == duckdb["customer_id"].to_pylist()


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_the_same_features(family: Any, both: tuple[pa.Table, pa.Table]) -> None:
    duckdb, spark = both
    for feature in family.features:
        for ours, theirs in zip(duckdb[feature.name].to_pylist(), spark[feature.name].to_pylist(), strict=True):
            if isinstance(ours, float) and isinstance(theirs, float):
                assert theirs == pytest.approx(ours, rel=1e-9, abs=1e-9), feature.name
            else:
                assert theirs == ours, feature.name


def test_spark_that_is_not_there_is_said_in_a_sentence(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(InputError, match=r"pip install custid\[spark\]"):
        connect(parse(CONFIG, "custid.yaml"))
