"""The facts that families aggregate: canonical tables as they were known at a snapshot, shaped once for all.

Money and quantities stay integers at the scale of the tables, times are seconds and days since 1970 (UTC), so every
sum is exact, whatever the order of the rows, the number of threads and the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..asof import midnight, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis

    Stage = Callable[[ibis.Table], ibis.Table]

Population = Literal["customers", "prospects"]
"""Who gets a row: those with a purchase or an open subscription, or those who are known and never had either."""
DAY = 86_400
_EPOCH = date(1970, 1, 1)
ORIGIN = {
    "lines": "transactions",
    "orders": "transactions",
    "purchases": "transactions",
    "days": "transactions",
    "products": "transactions",
    "categories": "transactions",
    "channels": "transactions",
    "events": "events",
    "feedback": "feedback",
    "campaigns": "campaigns",
    "subscriptions": "subscriptions",
    "customers": "customers",
}
"""The canonical table that each kind of facts comes from."""


@dataclass(frozen=True)
class Moment:
    """The midnight at which features are taken.

    Examples
    --------
    >>> Moment(date(1970, 1, 11)).day
    10
    """

    date: date

    @property
    def day(self) -> int:
        """The day that starts at the midnight, counted from 1970-01-01; the last day that is seen is one less."""
        return (self.date - _EPOCH).days

    @property
    def second(self) -> int:
        """The midnight in seconds since 1970."""
        return self.day * DAY

    def within(self, day: Any, length: int, ended: int = 0) -> Any:
        """Whether a day lies in the ``length`` days that ended ``ended`` days before the snapshot."""
        latest = self.day - ended
        recent = day >= latest - length
        return recent & (day < latest) if ended else recent


class Shaped(Protocol):
    """Facts by name, at a moment."""

    at: Moment

    def __getitem__(self, name: str) -> ibis.Table: ...


def known(transactions: ibis.Table, snapshot: date) -> ibis.Table:
    """The transactions that were known before a snapshot, without those that a row known by then had cancelled.

    ``cancelled_at`` is a column only where cancellations are to be left out (see :func:`~.table.open_tables`).
    """
    import ibis

    rows = seen(transactions, snapshot)
    if "cancelled_at" in rows.columns:
        wall = ibis.literal(midnight(snapshot), type="timestamp")
        rows = rows.filter(rows.cancelled_at.isnull() | (rows.cancelled_at >= wall))
    return rows


def double(value: float) -> Any:
    """A constant that every engine takes for a double, to the bit (in SQL, ``0.1`` is a decimal)."""
    import ibis

    return ibis.literal(repr(float(value))).cast("float64")


class Facts:
    """The facts as known at a snapshot, each an Ibis table with a ``customer_id``.

    Parameters
    ----------
    tables
        Canonical tables by name, with ``customer_id``.
    snapshot
        The midnight before which a row must have been known.
    stage
        What is done with facts that several others are made from: kept in a temporary table, or left as they are.
    who
        Who gets a row.
    """

    def __init__(
        self, tables: Mapping[str, ibis.Table], snapshot: date, stage: Stage, who: Population = "customers"
    ) -> None:
        self._tables = tables
        self._stage = stage
        self._who = who
        self.at = Moment(snapshot)

    def __getitem__(self, name: str) -> ibis.Table:
        table: ibis.Table = getattr(self, name)
        return table

    @cached_property
    def lines(self) -> ibis.Table:
        """Rows of the table transactions: ts, day, second, amount, quantity, discount, product_id, category, ..."""
        rows = known(self._tables["transactions"], self.at.date)
        return rows.select(
            "customer_id",
            "source",
            "order_id",
            "product_id",
            "category",
            "channel",
            "amount",
            "quantity",
            "discount",
            "ts",
            day=_day(rows.ts),
        )

    @cached_property
    def orders(self) -> ibis.Table:
        """Orders, cut at the snapshot: ts and day of the first line, amount, lines, quantity, channel."""
        lines = self.lines
        orders = lines.group_by("customer_id", "source", "order_id").aggregate(
            ts=lines.ts.min(),
            amount=lines.amount.sum().cast("int64"),
            lines=lines.count(),
            quantity=lines.quantity.sum(where=lines.amount > 0).cast("int64"),
            channel=lines.channel.min(),
        )
        return self._stage(orders.mutate(day=_day(orders.ts)))

    @cached_property
    def purchases(self) -> ibis.Table:
        """Orders whose lines sum to more than 0, with second, hour, weekday (0: Monday) and quarter."""
        orders = self.orders.filter(self.orders.amount > 0)
        return orders.mutate(
            second=_second(orders.ts),
            hour=orders.ts.hour().cast("int64"),
            weekday=orders.ts.day_of_week.index().cast("int64"),
            quarter=orders.ts.quarter().cast("int64"),
        )

    @cached_property
    def days(self) -> ibis.Table:
        """Days with a purchase.

        day, amount, gap (days since the purchase day before; null on the first), later (the third purchase day after
        it; null on the last three), last (the customer's last purchase day).
        """
        import ibis

        purchases = self.orders.filter(self.orders.amount > 0)
        days = purchases.group_by("customer_id", "day").aggregate(amount=purchases.amount.sum().cast("int64"))
        mine = ibis.window(group_by="customer_id", order_by="day")
        days = days.mutate(
            gap=days.day - days.day.lag(1).over(mine),
            later=days.day.lead(3).over(mine),
            last=days.day.max().over(ibis.window(group_by="customer_id")),
        )
        return self._stage(days)

    @cached_property
    def products(self) -> ibis.Table:
        """Products that were bought (lines above 0): amount, first and last day."""
        lines = self.lines.filter((self.lines.amount > 0) & self.lines.product_id.notnull())
        return lines.group_by("customer_id", "product_id").aggregate(
            amount=lines.amount.sum().cast("int64"), first=lines.day.min(), last=lines.day.max()
        )

    @cached_property
    def categories(self) -> ibis.Table:
        """Categories bought from: name, n (lines above 0), first and last day, place.

        The place is 0 for that of most lines; the name breaks ties.
        """
        lines = self.lines
        return _ranked(lines.filter((lines.amount > 0) & lines.category.notnull()), "category")

    @cached_property
    def channels(self) -> ibis.Table:
        """Channels bought through: name, n (purchases), first and last day, place.

        The place is 0 for that of most purchases; the name breaks ties.
        """
        orders = self.orders
        return _ranked(orders.filter((orders.amount > 0) & orders.channel.notnull()), "channel")

    @cached_property
    def events(self) -> ibis.Table:
        """Visits and other events: kind, product_id, session_id, duration (milliseconds), day, second."""
        rows = seen(self._tables["events"], self.at.date)
        return rows.select(
            "customer_id",
            "kind",
            "product_id",
            "session_id",
            day=_day(rows.ts),
            second=_second(rows.ts),
            duration=_whole(rows.duration, 1_000),
        )

    @cached_property
    def feedback(self) -> ibis.Table:
        """Feedback: kind, score (millionths), day, second, place (0: the latest; the worst score first)."""
        import ibis

        rows = seen(self._tables["feedback"], self.at.date)
        rows = rows.select(
            "customer_id",
            "kind",
            score=_whole(rows.score, 1_000_000),
            day=_day(rows.ts),
            second=_second(rows.ts),
        )
        newest = ibis.window(group_by="customer_id", order_by=[rows.second.desc(), rows.score.asc()])
        return rows.mutate(place=ibis.row_number().over(newest))

    @cached_property
    def campaigns(self) -> ibis.Table:
        """Customers in campaigns: treated, responded, revenue, cost, day, second."""
        rows = seen(self._tables["campaigns"], self.at.date)
        return rows.select(
            "customer_id", "treated", "responded", "revenue", "cost", day=_day(rows.ts), second=_second(rows.ts)
        )

    @cached_property
    def subscriptions(self) -> ibis.Table:
        """Subscriptions: plan, fee, start and end (days; an end to come is not known), place (0: open, newest)."""
        import ibis

        rows = seen(self._tables["subscriptions"], self.at.date)
        wall = ibis.literal(midnight(self.at.date), type="timestamp")
        ended = ibis.ifelse(rows.ended_at < wall, rows.ended_at, ibis.null("timestamp"))
        rows = rows.select("customer_id", "plan", "fee", start=_day(rows.started_at), end=_day(ended))
        order = [rows.end.isnull().desc(), rows.start.desc(), rows.plan.asc(), rows.fee.asc()]
        return rows.mutate(place=ibis.row_number().over(ibis.window(group_by="customer_id", order_by=order)))

    @cached_property
    def customers(self) -> ibis.Table:
        """Registrations: gender, country, city, born, registered and since (days), place (0: the oldest knowledge).

        ``since`` is the day of the registration, or of the first knowledge; null where neither is recorded.
        """
        import ibis

        rows = seen(self._tables["customers"], self.at.date)
        order = ibis.window(
            group_by="customer_id",
            order_by=[
                ibis.coalesce(rows.valid_from, rows.registered_at, ibis.literal(midnight(_EPOCH), type="timestamp")),
                rows.source,
                rows.record_id,
                rows.gender,
                rows.country,
                rows.city,
                rows.birth_date,
            ],
        )
        return rows.select(
            "customer_id",
            "gender",
            "country",
            "city",
            born=_day(rows.birth_date),
            registered=_day(rows.registered_at),
            since=_day(ibis.coalesce(rows.registered_at, rows.valid_from)),
            place=ibis.row_number().over(order),
        )

    @cached_property
    def entitled(self) -> tuple[ibis.Table, ...]:
        """Who gets a row, by reason: those with a purchase, and those with an open subscription."""
        reasons = []
        if "transactions" in self._tables:
            reasons.append(self.days.select("customer_id"))
        if "subscriptions" in self._tables:
            reasons.append(self.subscriptions.filter(self.subscriptions.end.isnull()).select("customer_id"))
        return tuple(reasons)

    @cached_property
    def population(self) -> ibis.Table:
        """Those who get a row: customers, or prospects."""
        return self._prospects if self._who == "prospects" else self._buyers

    @property
    def _prospects(self) -> ibis.Table:
        """Who had registered, on a day that is known, or visited before the snapshot, and never bought or subscribed.

        Without that day, somebody might be in a snapshot for having bought after it.
        """
        parts = []
        if "customers" in self._tables:
            parts.append(self.customers.filter(self.customers.since.notnull()).select("customer_id"))
        if "events" in self._tables:
            parts.append(self.events.select("customer_id"))
        known = parts[0] if len(parts) == 1 else parts[0].union(parts[1])
        had = self._buyers
        if "subscriptions" in self._tables:
            had = had.union(self.subscriptions.select("customer_id"))
        return known.distinct().anti_join(had, "customer_id")

    @property
    def _buyers(self) -> ibis.Table:
        """Those with a purchase, or an open subscription, before the snapshot."""
        return reduce(lambda some, more: some.union(more), self.entitled).distinct()


def _day(ts: Any) -> Any:
    return ts.date().epoch_days().cast("int64")


def _second(ts: Any) -> Any:
    return ts.truncate("s").epoch_seconds().cast("int64")


def _whole(value: Any, scale: int) -> Any:
    """A double in fixed point, rounded the same way by every engine."""
    return (value * double(scale) + double(0.5)).floor().cast("int64")


def _ranked(table: ibis.Table, column: str) -> ibis.Table:
    """How often, and from when to when, each customer has each value of a column, and which comes first."""
    import ibis

    counted = table.group_by("customer_id", name=table[column]).aggregate(
        n=table.count(), first=table.day.min(), last=table.day.max()
    )
    order = ibis.window(group_by="customer_id", order_by=[counted.n.desc(), counted.name.asc()])
    return counted.mutate(place=ibis.row_number().over(order))
