from datetime import date, timedelta

import pytest

from custid.config import load, parse
from custid.errors import ConfigError

MINIMAL = """\
horizon: 90d
sources:
  - name: shop
    table: transactions
    uri: orders.csv
"""


def refused(text, *overrides, env=None):
    with pytest.raises(ConfigError) as caught:
        parse(text, "shop.yaml", overrides, env or {})
    return str(caught.value)


def test_the_config_of_the_design_runs_as_it_stands():
    config = parse(
        """\
name: online-retail
workspace: data/online-retail          # relative to the folder the command runs in, or absolute
as_of: 2011-06-10                      # without one: the day after the newest row, and the log says so
horizon: 180d                          # needed from `features` on; all other keys but `sources` have defaults
sources:
  - name: shop
    table: transactions                # one of the canonical tables
    uri: data/raw/online_retail_2009_2011.parquet
    columns: {record_id: Customer ID, order_id: Invoice, ts: InvoiceDate, product_id: StockCode,
              quantity: Quantity, unit_price: Price}   # canonical: theirs
tasks: [high_value, clv, churn, segments]
high_value: {share: 0.10}
tuning: {trials: 40}                   # the number decides; time_budget is a safety stop, off by default
seed: 7
engine: duckdb                         # or spark
""",
        "configs/online_retail.yaml",
    )
    assert (config.as_of, config.horizon, config.tuning.trials) == (date(2011, 6, 10), timedelta(days=180), 40)


def test_name_and_workspace_default_to_the_files_name(tmp_path):
    path = tmp_path / "my shop.yaml"
    path.write_text(MINIMAL)
    config = load(path)
    assert config.name == "my-shop"
    assert config.workspace.as_posix() == "data/my-shop"


def test_settings_are_frozen():
    config = parse(MINIMAL, "shop.yaml")
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 8


def test_overrides_reach_into_a_list_by_name():
    config = parse(MINIMAL, "shop.yaml", ["sources.shop.uri=other.csv", "tuning.trials=3", "as_of=2024-01-01"])
    assert config.sources[0].uri == "other.csv"
    assert config.tuning.trials == 3
    assert config.as_of == date(2024, 1, 1)


def test_secrets_come_from_the_environment():
    text = MINIMAL.replace("orders.csv", "postgresql://me:${PG_PASSWORD}@db/shop")
    config = parse(text, "shop.yaml", env={"PG_PASSWORD": "s3cret"})
    assert config.sources[0].uri == "postgresql://me:s3cret@db/shop"
    message = refused(text)
    assert "shop.yaml:5" in message
    assert "PG_PASSWORD" in message


@pytest.mark.parametrize(
    ("text", "overrides", "parts"),
    [
        (MINIMAL + "horizn: 3d\n", [], ["shop.yaml:6", "horizn", "unknown key", "Did you mean 'horizon'?"]),
        (MINIMAL + "tasks: [chrun]\n", [], ["shop.yaml:6", "'chrun'", "churn", "Did you mean 'churn'?"]),
        (MINIMAL + "tuning: {trials: many}\n", [], ["shop.yaml:6", "tuning.trials", "'many'", "integer"]),
        (MINIMAL + "high_value:\n  share: 1.5\n", [], ["shop.yaml:7", "high_value.share", "1.5", "less than 1"]),
        (MINIMAL.replace("90d", "soon"), [], ["shop.yaml:1", "horizon", "'soon'", "180d"]),
        (MINIMAL + "as_of: 10/06/2011\n", [], ["shop.yaml:6", "as_of", "2011-06-10"]),
        (MINIMAL.replace("    uri: orders.csv\n", ""), [], ["shop.yaml:3", "uri", "not set"]),
        (MINIMAL.replace("transactions", "orders"), [], ["shop.yaml:4", "'orders'", "transactions"]),
        (MINIMAL + "as_of: 2011-13-40\n", [], ["shop.yaml:6", "as_of", "'2011-13-40'", "2011-06-10"]),
        (MINIMAL, ["as_of=2022-13-01"], ["--set", "as_of", "'2022-13-01'", "2011-06-10"]),
        (MINIMAL + "horizon: 30d\n", [], ["shop.yaml:6", "'horizon' stands twice"]),
        ("foo: &a {b: *a}\n", [], ["shop.yaml:1", "reference"]),
        (MINIMAL + "tasks: []\n", [], ["shop.yaml:6", "tasks", "at least 1"]),
        (MINIMAL + "tuning: {time_budget: 3d}\n", [], ["shop.yaml:6", "tuning.time_budget", "'3d'", "10m"]),
        ("horizon: 90d\n", [], ["shop.yaml", "sources", "not set"]),
        ("- just\n- a list\n", [], ["shop.yaml", "mapping"]),
        ("sources: [\n", [], ["shop.yaml:2", "not valid YAML"]),
        (MINIMAL, ["tuning.trials=0"], ["--set", "tuning.trials", "0", "greater than or equal to 1"]),
        (MINIMAL, ["sources.shp.uri=x"], ["--set sources.shp.uri", "'shp'", "Did you mean 'shop'?"]),
        (MINIMAL, ["seed"], ["--set 'seed'", "key=value"]),
        (MINIMAL, ["seed.of.things=1", "seed.of=2"], ["seed"]),
        (MINIMAL + "    columns: {tss: date}\n", [], ["shop.yaml:3", "'tss'", "Did you mean 'ts'?"]),
        (MINIMAL + "    timezone: Mars/Olympus\n", [], ["shop.yaml:6", "timezone", "Europe/London"]),
        (MINIMAL + "  - {name: shop, table: transactions, uri: b.csv}\n", [], ["sources", "'shop'", "distinct"]),
    ],
)
def test_a_mistake_gets_a_sentence(text, overrides, parts):
    message = refused(text, *overrides)
    assert all(part in message for part in parts), message


def test_passwords_do_not_appear_in_messages():
    text = MINIMAL.replace("horizon: 90d", "horizon: postgresql://me:s3cret@db/shop")
    assert "s3cret" not in refused(text)


def test_a_missing_file_and_a_file_of_bytes_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01\x80")
    with pytest.raises(ConfigError, match=r"bytes\.yaml: is not UTF-8"):
        load(path)
