import json
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.serving.refusal import RequestError
from custid.serving.schema import Rules, parse

RULES = Rules(
    kinds={"purchases": "number", "spend_90": "number", "channel": "category"},
    needed=frozenset({"purchases", "channel"}),
    tables=("transactions", "events"),
    as_of=date(2024, 6, 1),
    max_rows=3,
    currency="GBP",
)
GOOD = {"purchases": 3, "spend_90": 12.5, "channel": "web"}


def ask(value, rules=RULES):
    return parse(msgspec.json.encode(value), rules)


def of_features(**changes):
    return {"customers": [{"features": {**GOOD, **changes}}]}


def of_rows(*rows, table="transactions", **more):
    return {"customers": [{table: list(rows)}], **more}


def test_features_become_columns():
    request = ask({"customers": [{"customer_id": "ann", "features": GOOD}, {"features": {**GOOD, "channel": None}}]})
    assert request.ids == ["ann", None]
    assert request.as_of == RULES.as_of
    assert request.features == {"purchases": [3.0, 3.0], "spend_90": [12.5, 12.5], "channel": ["web", None]}


def test_a_feature_that_no_model_reads_may_be_left_out_but_is_checked_where_it_is_given():
    assert ask({"customers": [{"features": {"purchases": 1, "channel": None}}]}).features["spend_90"] == [None]
    with pytest.raises(RequestError, match=r"features\.spend_90"):
        ask(of_features(spend_90="much"))


def test_rows_become_canonical_tables():
    request = ask(of_rows({"ts": "2024-05-01T10:00:00+02:00", "amount": 12.34, "quantity": 2}, as_of="2024-05-20"))
    row = request.tables["transactions"].to_pylist()[0]
    assert (row["customer_id"], row["amount"], row["quantity"]) == ("0", 123_400, 20_000)
    assert row["ts"].isoformat() == "2024-05-01T08:00:00"
    assert row["order_id"]
    assert request.as_of == date(2024, 5, 20)
    assert len(request.tables["events"]) == 0


def test_rows_belong_to_the_customer_they_came_with():
    rows = [{"ts": "2024-05-01", "amount": 1}]
    customers = [{"customer_id": "same", "transactions": rows}, {"customer_id": "same", "transactions": rows * 2}]
    request = ask({"customers": customers})
    assert request.tables["transactions"]["customer_id"].to_pylist() == ["0", "1", "1"]
    assert len(set(request.tables["transactions"]["order_id"].to_pylist())) == 3


BROKEN = {
    "empty body": (b"", 400, ["not JSON"]),
    "half a body": (b'{"customers": [', 400, ["not JSON"]),
    "not UTF-8": (b'{"customers": "\xff"}', 400, ["not JSON", "UTF-8"]),
    "NaN": (b'{"customers": [{"features": {"purchases": NaN}}]}', 400, ["not JSON", "null"]),
    "infinity": (b'{"customers": [{"features": {"purchases": -Infinity}}]}', 400, ["not JSON", "null"]),
    "too large a number": (b'{"customers": [{"features": {"purchases": 1e999}}]}', 400, ["out of range"]),
    "deep nesting": (b'{"customers": ' + b"[" * 100_000, 400, ["deep"]),
    "deep objects": (b'{"a": ' * 50_000, 400, ["deep"]),
    "a list": ([], 422, ["a list", "customers"]),
    "a number": (7, 422, ["7", "customers"]),
    "nothing": (None, 422, ["null", "customers"]),
    "no customers": ({}, 422, ["customers: null"]),
    "an empty list": ({"customers": []}, 422, ["customers", "at least one"]),
    "customers as object": ({"customers": {}}, 422, ["customers: an object", "list"]),
    "a customer as number": ({"customers": [1]}, 422, ["customers[0]: 1"]),
    "an empty customer": ({"customers": [{}]}, 422, ["customers[0]", "nothing"]),
    "only an id": ({"customers": [{"customer_id": "ann"}]}, 422, ["customers[0]", "nothing"]),
    "misspelt key": ({"customer": []}, 422, ["customer: unknown", "'customers'"]),
    "misspelt form": ({"customers": [{"feature": {}}]}, 422, ["customers[0].feature", "'features'"]),
    "id as number": (
        {"customers": [{"customer_id": 5, "features": GOOD}]},
        422,
        ["customers[0].customer_id: 5", "text"],
    ),
    "features as list": ({"customers": [{"features": [1]}]}, 422, ["customers[0].features", "a list"]),
    "unknown feature": (of_features(purchase=1), 422, ["features.purchase: unknown", "'purchases'"]),
    "very long name": (of_features(**{"x" * 9_999: 1}), 422, ["unknown feature"]),
    "10,000 unknown features": (of_features(**{f"f{i}": i for i in range(10_000)}), 422, ["unknown feature"]),
    "missing feature": ({"customers": [{"features": {"purchases": 1}}]}, 422, ["features.channel: missing", "null"]),
    "text for a number": (of_features(purchases="many"), 422, ["features.purchases", '"many"', "finite number"]),
    "true for a number": (of_features(purchases=True), 422, ["features.purchases", "true", "finite number"]),
    "list for a number": (of_features(purchases=[1]), 422, ["features.purchases", "a list", "finite number"]),
    "huge integer": (
        json.dumps(of_features(purchases=10**400)).encode(),
        422,
        ["features.purchases", "more than 40 digits"],
    ),
    "number for a text": (of_features(channel=3), 422, ["features.channel", "3", "a text"]),
    "too many customers": ({"customers": [{"features": GOOD}] * 4}, 413, ["4", "at most 3"]),
    "day as number": ({**of_features(), "as_of": 20240601}, 422, ["as_of: 20240601", "a day"]),
    "no such day": ({**of_features(), "as_of": "2024-02-31"}, 422, ["as_of", "2024-02-31"]),
    "both forms": ({"customers": [{"features": GOOD, "transactions": []}]}, 422, ["customers[0]", "features"]),
    "one form each": ({"customers": [{"features": GOOD}, {"transactions": []}]}, 422, ["customers[1]", "features"]),
    "table unknown to the release": (of_rows(table="feedback"), 422, ["feedback", "transactions or events"]),
    "table as object": ({"customers": [{"transactions": {}}]}, 422, ["transactions: an object", "list of rows"]),
    "row as number": (of_rows(3), 422, ["transactions[0]: 3", "ts and amount"]),
    "misspelt column": (of_rows({"ts": "2024-05-01", "amont": 1}), 422, ["[0].amont: unknown", "'amount'"]),
    "missing column": (of_rows({"ts": "2024-05-01"}), 422, ["[0].amount: missing", "money"]),
    "text for an amount": (of_rows({"ts": "2024-05-01", "amount": "12"}), 422, ['amount: "12"', "finite number"]),
    "amount beyond reason": (of_rows({"ts": "2024-05-01", "amount": 1e300}), 422, ["amount: 1e300", "1e12"]),
    "time in words": (of_rows({"ts": "yesterday", "amount": 1}), 422, ['ts: "yesterday"', "a time"]),
    "time as number": (of_rows({"ts": 1714521600, "amount": 1}), 422, ["ts: 1714521600", "a time"]),
    "time before all time": (of_rows({"ts": "0001-01-01T00:00:00+10:00", "amount": 1}), 422, ["ts", "a time"]),
    "row behind the wall": (of_rows({"ts": "2024-06-01", "amount": 1}), 422, ["ts: 2024-06-01", "before as_of"]),
    "number for a product": (
        of_rows({"ts": "2024-05-01", "amount": 1, "product_id": 5}),
        422,
        ["product_id: 5", "text"],
    ),
    "another currency": (of_rows({"ts": "2024-05-01", "amount": 1, "currency": "EUR"}), 422, ["EUR", "GBP"]),
    "second row": (of_rows({"ts": "2024-05-01", "amount": 1}, {"ts": None, "amount": 1}), 422, ["[1].ts: missing"]),
}


@pytest.mark.parametrize(("body", "status", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_request_gets_a_sentence(body, status, words):
    with pytest.raises(RequestError) as caught:
        parse(body if isinstance(body, bytes) else msgspec.json.encode(body), RULES)
    message = str(caught.value)
    assert caught.value.status == status
    assert [word for word in words if word not in message] == []
    assert message.endswith((".", "?"))
    assert len(message) < 500


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["customers", "features", "transactions", "ts", "amount", "as_of", "customer_id"])
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def outcome(body):
    """The status of a refusal, or 200."""
    try:
        parse(body, RULES)
    except RequestError as error:
        return error.status
    return 200


@given(anything | st.builds(lambda c: {"customers": c}, st.lists(anything, max_size=3)))
def test_whatever_json_is_sent_is_read_or_refused(value):
    assert outcome(json.dumps(value).encode()) in (200, 400, 413, 422)


@given(st.binary(max_size=200))
def test_whatever_bytes_are_sent_are_read_or_refused(body):
    assert outcome(body) in (400, 422)


@given(st.floats(-3.4e38, 3.4e38))
def test_numbers_arrive_to_the_bit(value):
    assert ask(of_features(purchases=value)).features["purchases"] == [value]


@given(st.floats(3.41e38, allow_infinity=False), st.sampled_from([-1, 1]))
def test_numbers_beyond_single_precision_are_refused(value, sign):
    with pytest.raises(RequestError, match=r"features\.purchases: .*between -3\.4e38 and 3\.4e38"):
        ask(of_features(purchases=sign * value))
