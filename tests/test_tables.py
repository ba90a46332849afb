import pyarrow as pa
import pytest

from custid.tables import FLAGS, SPECS, TRANSACTIONS, arrow_schema


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_every_table_describes_its_columns(spec):
    names = [c.name for c in spec.columns]
    assert len(names) == len(set(names))
    assert all(c.about for c in spec.columns)
    assert set(spec.required) <= set(names)
    assert arrow_schema(spec).names[0] == "source"


def test_money_is_held_in_fixed_point():
    assert arrow_schema(TRANSACTIONS).field("amount").type == pa.int64()
    assert {f.name for f in FLAGS} <= set(arrow_schema(TRANSACTIONS).names)
