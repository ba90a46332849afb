"""What every family of features keeps to; a new family is found by itself."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import get_args

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
import pytest

from custid import features
from custid.features.facts import Facts
from custid.features.family import Family, Unit
from custid.features.table import USED, build, catalogue, families
from custid.tables import SPECS, arrow_schema

DAY = date(2024, 3, 15)
FAMILIES = families()
each = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def unbound() -> dict[str, ibis.Table]:
    schemas = {name: arrow_schema(SPECS[name]).append(pa.field("customer_id", pa.string())) for name in USED}
    return {name: ibis.table(ibis.Schema.from_pyarrow(schema), name=name) for name, schema in schemas.items()}


def test_every_file_with_a_family_is_found() -> None:
    folder = Path(features.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "\nFAMILY = " in path.read_text(encoding="utf-8")}
    assert {family.name for family in FAMILIES} == files
    assert len(files) > 10


def test_names_are_unique_and_their_case_does_not_matter() -> None:
    counted = Counter(feature.name.lower() for feature in catalogue())
    assert counted.most_common(1)[0][1] == 1


def test_there_are_enough_features_from_transactions_alone() -> None:
    assert len(catalogue(["transactions"])) >= 60


@each
def test_a_family_says_what_it_is_and_needs(family: Family) -> None:
    assert len(family.about.splitlines()[0]) > 20
    assert family.needs <= set(SPECS)


@each
def test_each_feature_is_described_with_its_unit(family: Family) -> None:
    for feature in family.features:
        assert feature.name.isidentifier()
        assert feature.name == feature.name.lower()
        assert len(feature.about) > 3
        assert not feature.about.endswith(".")
        assert feature.unit in get_args(Unit)
        assert (feature.kind == "category") == (feature.unit == "name")


@each
def test_formulas_give_just_the_features_in_their_types(family: Family) -> None:
    built = build(unbound(), DAY, only=[family.name], staged=False)
    assert built.columns == ("customer_id", "as_of", *(feature.name for feature in family.features))
    for feature in family.features:
        dtype = built[feature.name].type()
        assert dtype.is_string() if feature.kind == "category" else dtype.is_float64()


@each
def test_measures_are_exact(family: Family) -> None:
    facts = Facts(unbound(), DAY, lambda table: table)
    for name, measure in family.measures.items():
        for label, value in measure(facts[name], facts.at).items():
            exact = value.type().is_integer() or value.type().is_decimal() or value.type().is_string()
            assert exact or isinstance(value.op(), ops.Median), f"{label}: a sum of doubles depends on its order"
