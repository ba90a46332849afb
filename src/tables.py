"""The canonical tables: their columns, the kind of each, and which are required.

A config maps a user's columns onto these; every later stage reads these names and nothing else. Money and quantities
are held in fixed point, as 64-bit integers at a scale of 1e-4, so that sums are the same whatever the order of the rows
and the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SCALE = 10_000


class Kind(StrEnum):
    """What a column holds, and how it is kept: text, UTC timestamps, fixed point or doubles."""

    TEXT = "text"
    TIME = "time"
    FIXED = "fixed"
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True)
class Column:
    """A canonical column: what it is called, what it holds, and what it means."""

    name: str
    kind: Kind
    about: str
    required: bool = False


@dataclass(frozen=True)
class TableSpec:
    """A canonical table; ``open_ended`` ones keep any further attribute that a source has."""

    name: str
    about: str
    columns: tuple[Column, ...]
    open_ended: bool = False

    def column(self, name: str) -> Column | None:
        """The column of that name, if the table knows it."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which a row is unusable."""
        return tuple(c.name for c in self.columns if c.required)

    @property
    def time(self) -> str | None:
        """The column that says when a row happened, if the table has one."""
        return next((n for n in ("ts", "started_at", "registered_at", "as_of") if self.column(n)), None)


def _text(name: str, about: str, required: bool = False) -> Column:
    return Column(name, Kind.TEXT, about, required)


def _time(name: str, about: str, required: bool = False) -> Column:
    return Column(name, Kind.TIME, about, required)


def _fixed(name: str, about: str, required: bool = False) -> Column:
    return Column(name, Kind.FIXED, about, required)


def _number(name: str, about: str, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, about, required)


def _flag(name: str, about: str, required: bool = False) -> Column:
    return Column(name, Kind.FLAG, about, required)


_RECORD = _text("record_id", "the customer's id in this source", required=True)
_ARRIVED = _time("ingested_at", "when the row became known, if later than it happened")

CUSTOMERS = TableSpec(
    "customers",
    "one row per registration of a person in a source",
    (
        _RECORD,
        _text("name", "full name"),
        _text("given_name", "given name"),
        _text("family_name", "family name"),
        _text("email", "e-mail address"),
        _text("phone", "telephone number"),
        _text("national_id", "national identity number"),
        _time("birth_date", "day of birth"),
        _text("gender", "gender as recorded"),
        _text("street", "street and house number"),
        _text("unit", "flat or unit"),
        _text("district", "district"),
        _text("city", "city"),
        _text("state", "state or province"),
        _text("postcode", "postcode"),
        _text("country", "country"),
        _time("registered_at", "when the person registered"),
        _time("valid_from", "when these values became known"),
        _text("consent", "consent as recorded"),
    ),
    open_ended=True,
)

TRANSACTIONS = TableSpec(
    "transactions",
    "one row per line of an order, or per order",
    (
        _RECORD,
        _time("ts", "when it happened", required=True),
        _fixed("amount", "money; negative: a return", required=True),
        _text("order_id", "the order; without it, each row is an order"),
        _text("product_id", "the product"),
        _text("category", "the product's category"),
        _fixed("quantity", "pieces"),
        _fixed("unit_price", "money per piece"),
        _fixed("discount", "money taken off"),
        _text("currency", "ISO currency code"),
        _text("channel", "where it was bought"),
        _ARRIVED,
    ),
)

EVENTS = TableSpec(
    "events",
    "one row per visit or other event",
    (
        _RECORD,
        _time("ts", "when it happened", required=True),
        _text("kind", "what happened", required=True),
        _text("product_id", "the product looked at"),
        _text("channel", "where it happened"),
        _text("session_id", "the visit it belongs to"),
        _number("duration", "seconds"),
        _ARRIVED,
    ),
)

FEEDBACK = TableSpec(
    "feedback",
    "one row per rating, survey answer, complaint or review",
    (
        _RECORD,
        _time("ts", "when it was given", required=True),
        _text("kind", "rating, nps, csat, complaint or review", required=True),
        _number("score", "0 (worst) to 1 (best)", required=True),
        _text("text", "what was said"),
        _ARRIVED,
    ),
)

CAMPAIGNS = TableSpec(
    "campaigns",
    "one row per customer and campaign, the control group included",
    (
        _RECORD,
        _text("campaign_id", "the campaign", required=True),
        _time("ts", "when the contact was or would have been made", required=True),
        _flag("treated", "contacted, or kept back as control", required=True),
        _flag("responded", "answered or bought"),
        _fixed("revenue", "money that came of it"),
        _fixed("cost", "money that the contact cost"),
        _ARRIVED,
    ),
)

SUBSCRIPTIONS = TableSpec(
    "subscriptions",
    "one row per subscription",
    (
        _RECORD,
        _time("started_at", "when it started", required=True),
        _time("ended_at", "when it ended; empty while it runs"),
        _text("plan", "the plan"),
        _fixed("fee", "money per month"),
    ),
    open_ended=True,
)

OBSERVATIONS = TableSpec(
    "observations",
    "one row per customer of a table that comes with labels and no history",
    (
        _text("record_id", "the customer; else the row's number"),
        _time("as_of", "when the row was observed"),
        _flag("label", "what is to be predicted"),
        _flag("treated", "contacted, or control"),
        _number("outcome", "what came of it"),
    ),
    open_ended=True,
)

SPECS: dict[str, TableSpec] = {
    spec.name: spec for spec in (CUSTOMERS, TRANSACTIONS, EVENTS, FEEDBACK, CAMPAIGNS, SUBSCRIPTIONS, OBSERVATIONS)
}

# What ingest adds to transactions: facts about a row that a reader of the table may use or ignore.
FLAGS = (
    _flag("duplicate", "an exact repetition of an earlier row of the same source"),
    _flag("cancellation", "cancels an earlier row or order"),
    _time("cancelled_at", "when a later row cancelled this one; empty otherwise"),
    _flag("non_product", "its product code is no product (postage, fees, adjustments)"),
)


def arrow_type(kind: Kind) -> pa.DataType:
    """The Arrow type in which a kind of column is kept."""
    import pyarrow as pa

    types = {
        Kind.TEXT: pa.string(),
        Kind.TIME: pa.timestamp("us"),
        Kind.FIXED: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.FLAG: pa.bool_(),
    }
    return types[kind]


def arrow_schema(spec: TableSpec) -> pa.Schema:
    """The Arrow schema of a canonical table as ingest writes it: ``source``, all its columns, the flags."""
    import pyarrow as pa

    columns = (*spec.columns, *(FLAGS if spec is TRANSACTIONS else ()))
    return pa.schema([("source", pa.string()), *((c.name, arrow_type(c.kind)) for c in columns)])
