"""`sources.values` and `sources.ignore`: what the values of yes and no mean, and what is not read."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import DataError
from custid.ingest.stage import ingest
from custid.workspace import Workspace, read_json

ARMS = ["Womens E-Mail,1,0,a", "No E-Mail,0,1,b", "Mens E-Mail,1,1,c"]


@pytest.fixture
def observed(tmp_path):
    """The table observations of a campaign's rows, and what is said of the source."""

    def made(more):
        (tmp_path / "mail.csv").write_text("\n".join(["arm,visit,label,zone", *ARMS]) + "\n")
        source = f"name: mail, table: observations, uri: {tmp_path / 'mail.csv'}, {more}"
        (tmp_path / "c.yaml").write_text(f"workspace: {tmp_path / 'ws'}\nas_of: 2024-03-01\nsources: [{{{source}}}]\n")
        config = load(tmp_path / "c.yaml")
        ws = Workspace(config.workspace).create()
        ingest(config, ws)
        return pq.read_table(ws.table("observations")), read_json(ws.quality)["sources"]["mail"]

    return made


MAPPED = "columns: {treated: arm, outcome: visit}"


def test_values_that_are_not_listed_are_unknown_and_counted(observed):
    table, quality = observed(f"{MAPPED}, values: {{treated: {{Womens E-Mail: yes, No E-Mail: no}}}}")
    assert table["treated"].to_pylist() == [True, False, None]
    assert any("1 row" in note and "Mens E-Mail" in note for note in quality["notes"])


def test_a_list_of_which_no_value_is_there_is_refused(observed):
    with pytest.raises(
        DataError, match=r"'arm' holds none of the values of sources.mail.values.treated.*Womens E-Mail"
    ):
        observed(f"{MAPPED}, values: {{treated: {{Women E-Mail: yes, None at all: no}}}}")


def test_what_is_ignored_is_not_read_by_its_own_name_either(observed):
    flags = "values: {treated: {Womens E-Mail: yes}}"
    assert observed(f"{MAPPED}, {flags}")[0]["label"].null_count == 0
    table, _ = observed(f"{MAPPED}, {flags}, ignore: [label, zone]")
    assert "label" not in table.column_names or table["label"].null_count == 3
    assert "zone" not in table.column_names


def test_a_column_is_either_mapped_or_ignored(observed):
    with pytest.raises(DataError, match=r"'visit' is both sources.mail.columns.outcome and in sources.mail.ignore"):
        observed(f"{MAPPED}, ignore: [visit]")
