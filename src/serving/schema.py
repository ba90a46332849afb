"""What a request may hold, and the sentence that it gets where it holds something else.

A request names customers in one of two forms: ``features`` by name, or canonical tables (``transactions`` and what
else the release was trained on) as they are, in plain units. Parsing gives Arrow columns; nothing here knows a model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from ..asof import parse_day
from ..errors import nearest
from ..tables import SPECS
from .refusal import RequestError, short, shown, wrong
from .rows import MOST, number, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pyarrow as pa

    from ..features.observations import Attribute

SHAPE = 'expected {"customers": [{"features": {...}}, ...]}'
_FORM = "expected either features by name or tables such as transactions"


@dataclass(frozen=True)
class Rules:
    """What a release asks of a request.

    ``kinds`` holds every feature it knows ("number" or "category"); ``needed`` the ones its models read; ``tables`` the
    canonical tables its features come from; ``as_of`` the day it assumes where a request names none; ``attributes`` the
    further columns of observations, and what each holds.
    """

    kinds: Mapping[str, str]
    needed: frozenset[str]
    tables: tuple[str, ...]
    as_of: date
    max_rows: int
    currency: str | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A request that is right: who is asked about, as of when, and either feature columns or canonical tables.

    Customers of ``tables`` are called by their place in the request ("0", "1", ...): ids may be absent or repeated.
    """

    ids: list[str | None]
    as_of: date
    features: dict[str, list[Any]] | None = None
    tables: dict[str, pa.Table] | None = None


def parse(body: bytes, rules: Rules) -> Request:
    """Read a request's body.

    Raises
    ------
    RequestError
        400 for what is no JSON, 413 for too many customers, 422 for everything else, each with one sentence.

    Examples
    --------
    >>> from datetime import date
    >>> rules = Rules({"spend": "number"}, frozenset({"spend"}), ("transactions",), date(2024, 1, 1), 10)
    >>> parse(b'{"customers": [{"features": {"spend": 3}}]}', rules).features
    {'spend': [3.0]}
    >>> parse(b'{"customers": [{"features": {"spent": 3}}]}', rules)
    Traceback (most recent call last):
    custid.serving.refusal.RequestError: customers[0].features.spent: unknown feature. Did you mean 'spend'?
    """
    raw = _mapping(_decode(body), "", ("customers", "as_of"))
    customers = raw.get("customers")
    if not isinstance(customers, list):
        raise wrong("customers", f"{shown(customers)}; expected a list of customers.")
    if not customers:
        raise wrong("customers", "an empty list; expected at least one customer.")
    if len(customers) > rules.max_rows:
        raise RequestError(
            413,
            f"customers: {len(customers):,} of them; expected at most {rules.max_rows:,} in a request.",
            "customers",
        )
    as_of = _day(raw["as_of"]) if raw.get("as_of") is not None else rules.as_of
    keys = ("customer_id", "features", *rules.tables)
    for i, customer in enumerate(customers):
        _mapping(customer, f"customers[{i}]", keys, rules.tables)
    ids = [_identifier(customer.get("customer_id"), i) for i, customer in enumerate(customers)]
    forms = {form: i for i, customer in reversed([*enumerate(customers)]) for form in _forms(customer, i)}
    if len(forms) > 1:
        at = f"customers[{max(forms.values())}]"
        raise wrong(at, f"features and tables in one request; {_FORM} for all its customers.")
    if "features" in forms:
        return Request(ids, as_of, features=_features([customer["features"] for customer in customers], rules))
    tables = {name: [customer.get(name) for customer in customers] for name in rules.tables}
    read = {n: read_rows(n, lists, as_of, rules.currency, rules.attributes) for n, lists in tables.items()}
    return Request(ids, as_of, tables=read)


def _decode(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise RequestError(400, f"The body is nested too deeply; {SHAPE}.") from None
    except msgspec.ValidationError:
        raise RequestError(400, "The body holds a number out of range; expected finite numbers.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = (
            str(error).removeprefix("JSON is malformed: ") if isinstance(error, msgspec.DecodeError) else "not UTF-8"
        )
        reason = reason[:1].lower() + reason[1:]
        raise RequestError(400, f"The body is not JSON ({reason}); {SHAPE}, with null for what is not known.") from None


def _mapping(value: object, at: str, keys: Sequence[str], tables: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise (
            wrong(at, f"{shown(value)}; {SHAPE}.") if at else RequestError(422, f"The body is {shown(value)}; {SHAPE}.")
        )
    for key in value:
        if key not in keys:
            field = f"{at}.{short(key)}" if at else short(key)
            if key in SPECS and at:
                raise wrong(field, f"this release has no features of that table; expected {' or '.join(tables)}.")
            raise wrong(field, f"unknown field; expected {', '.join(keys)}.{nearest(key[:100], keys)}")
    return value


def _day(value: object) -> date:
    try:
        if not isinstance(value, str):
            raise ValueError
        return parse_day(value)
    except ValueError:
        raise wrong("as_of", f"{shown(value)}; expected a day, such as 2011-06-10.") from None


def _identifier(value: object, row: int) -> str | None:
    if value is None or (isinstance(value, str) and 0 < len(value) <= 256):
        return value
    raise wrong(f"customers[{row}].customer_id", f"{shown(value)}; expected a text of 1 to 256 characters, or none.")


def _forms(customer: Mapping[str, Any], row: int) -> set[str]:
    given = {key for key, value in customer.items() if value is not None} - {"customer_id"}
    if not given:
        raise wrong(f"customers[{row}]", f"nothing known about the customer; {_FORM}.")
    return {"features" if key == "features" else "tables" for key in given}


def _features(rows: Sequence[Any], rules: Rules) -> dict[str, list[Any]]:
    """Columns of the features that the models read; every value given is looked at, read or not."""
    known = rules.kinds.keys()
    for i, row in enumerate(rows):
        if not (isinstance(row, dict) and row.keys() <= known and row.keys() >= rules.needed):
            raise _wrong_names(row, rules, f"customers[{i}].features")
    columns = {}
    for name, kind in rules.kinds.items():
        values = [row.get(name) for row in rows]
        columns[name] = _category(values, name) if kind == "category" else _numbers(values, name)
    return columns


def _wrong_names(row: object, rules: Rules, at: str) -> RequestError:
    if not isinstance(row, dict):
        return wrong(at, f"{shown(row)}; expected an object of features by name.")
    for name in row:
        if name not in rules.kinds:
            return wrong(f"{at}.{short(name)}", f"unknown feature.{nearest(name[:100], rules.kinds)}")
    missing = [name for name in rules.kinds if name in rules.needed and name not in row]
    others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return wrong(f"{at}.{missing[0]}", f"missing{others}; expected every feature the models read, null where unknown.")


def _numbers(values: list[Any], name: str) -> list[Any]:
    if {*map(type, values)} <= {float, type(None)} and max(map(abs, filter(None, values)), default=0.0) <= MOST:
        return values
    return [
        None if value is None else number(value, f"customers[{i}].features.{name}", ", or null where unknown")
        for i, value in enumerate(values)
    ]


def _category(values: list[Any], name: str) -> list[Any]:
    for i, value in enumerate(values):
        if not (value is None or isinstance(value, str)):
            raise wrong(f"customers[{i}].features.{name}", f"{shown(value)}; expected a text, or null where unknown.")
    return values
