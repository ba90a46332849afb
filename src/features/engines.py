"""What computes features: DuckDB in the process, or a Spark session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from ..config import Config


def connect(config: Config) -> Any:
    """The Ibis backend that the config names.

    DuckDB runs in the process, with the config's threads and memory; Spark on a local session, or on the one that the
    environment's Spark configuration names.

    Raises
    ------
    InputError
        Spark is asked for, and pyspark or Java is not there.
    """
    return _spark() if config.engine == "spark" else _duckdb(config.threads, config.memory)


def _duckdb(threads: int | None, memory: str) -> Any:
    import ibis

    settings = {"memory_limit": memory, "preserve_insertion_order": False}
    if threads is not None:
        settings["threads"] = threads
    return ibis.duckdb.connect(**settings)


def _spark() -> Any:
    import ibis

    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError(
            "engine: spark needs pyspark, which is not installed; expected `pip install custid[spark]`, or "
            "`engine: duckdb`."
        ) from error
    settings: dict[str, Any] = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    try:
        session = SparkSession.builder.appName("custid").config(map=settings).getOrCreate()
    except (PySparkRuntimeError, OSError) as error:
        raise InputError(
            "engine: spark could not start a session; expected Java 17 or newer, found by JAVA_HOME or the PATH."
        ) from error
    context = session.sparkContext
    if (context.master or "").startswith("local"):  # the default of 200 is for clusters: tasks would take all the time
        session.conf.set("spark.sql.shuffle.partitions", str(2 * context.defaultParallelism))
    return ibis.pyspark.connect(session)
