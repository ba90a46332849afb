import sqlite3
import threading
from datetime import date

import pyarrow as pa
import pytest

from custid.errors import InputError
from custid.serving.store import Profiles, publish
from custid.workspace import Workspace, write_parquet

REASON = {"task": "churn", "feature": "age", "text": "Age", "value": 1.5, "low": None, "high": 2.0, "contribution": 0.1}


def profiles(release, customers):
    return pa.table(
        {
            "customer_id": customers,
            "as_of": [date(2024, 6, 1)] * len(customers),
            "release": [release] * len(customers),
            "p_churn": [0.1 + 0.2] * len(customers),
            "reasons": pa.array([[REASON]] * len(customers)),
        }
    )


@pytest.fixture
def ws(tmp_path):
    workspace = Workspace(tmp_path)
    write_parquet(workspace.profiles, profiles("1-a", ["ann", "o'brien", "张伟/7"]))
    return workspace


def test_a_profile_comes_back_whole(ws):
    store = Profiles(publish(ws))
    expected = {"customer_id": "o'brien", "as_of": "2024-06-01", "release": "1-a", "p_churn": 0.1 + 0.2}
    assert store.get("o'brien") == {**expected, "reasons": [REASON]}
    assert store.get("张伟/7")["customer_id"] == "张伟/7"
    assert store.first() == "ann"


@pytest.mark.parametrize("customer_id", ["nobody", "", "' OR 1=1 --", "../../etc/passwd", "a\x00b", "x" * 100_000])
def test_an_unknown_customer_is_none(ws, customer_id):
    assert Profiles(publish(ws)).get(customer_id) is None


def test_a_reader_sees_the_new_profiles_once_they_are_published(ws):
    store = Profiles(publish(ws))
    write_parquet(ws.profiles, profiles("2-b", ["bob"]))
    publish(ws)
    assert store.get("ann") is None
    assert store.get("bob")["release"] == "2-b"


def test_readers_see_one_release_whole_while_another_is_published(ws):
    customers = [f"c{i}" for i in range(300)]
    write_parquet(ws.profiles, profiles("1-a", customers))
    store = Profiles(publish(ws))
    write_parquet(ws.profiles, profiles("2-b", customers))
    writer = threading.Thread(target=publish, args=(ws,))
    writer.start()
    seen = [store.get(customer)["release"] for customer in customers * 3]
    writer.join()
    assert seen == sorted(seen)
    assert store.get("c7")["release"] == "2-b"


def test_a_failed_publication_leaves_the_old_profiles(ws):
    store = Profiles(publish(ws))
    twice = profiles("2-b", ["bob", "bob"])
    write_parquet(ws.profiles, twice)
    with pytest.raises(sqlite3.IntegrityError):
        publish(ws)
    assert store.get("ann")["release"] == "1-a"
    assert store.get("bob") is None


def test_a_file_to_carry_away_is_one_file_and_can_be_read_where_nothing_can_be_written(ws, tmp_path):
    folder = tmp_path / "carried"
    folder.mkdir()
    path = publish(ws, folder / "profiles.db")
    assert [p.name for p in folder.iterdir()] == ["profiles.db"]
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        assert Profiles(path).get("ann")["release"] == "1-a"
    finally:
        folder.chmod(0o755)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match=r"profiles\.parquet.*custid profile"):
        publish(Workspace(tmp_path))
    with pytest.raises(InputError, match=r"profiles\.db"):
        Profiles(tmp_path / "profiles.db")
