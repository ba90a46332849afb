"""Arrays into the tables of the three sources: their columns, their formats, and the noise of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import catalog
from .accounts import TEST_ACCOUNT, keeper
from .behaviour import CHANNELS, DAY, STORE
from .campaigns import WINDOW, outcomes
from .engagement import FEEDBACK, KINDS, TEXTS

if TYPE_CHECKING:
    from .accounts import Accounts
    from .behaviour import Lines, Orders, Span
    from .campaigns import Contacts
    from .engagement import Events, Feedback, Memberships
    from .people import Flags, Floats, Ints, People

    Texts = np.ndarray[tuple[int, ...], np.dtype[np.str_]]

LOCAL = 8 * 3_600
"""The stores' clocks: seconds ahead of UTC."""
NO_AMOUNT = ("n/a", "#REF!", "1o.50", "--")
NO_DATE = ("0000-00-00 00:00:00", "2023-13-45 10:00:00", "yesterday")
PLATFORMS = ("ios", "android", "mini-program")


def sold_before_end(lines: Lines, span: Span) -> Ints:
    """The rows of the lines that the records hold, by time, order and line."""
    rows = np.flatnonzero(lines.ts < span.end)
    return rows[np.lexsort((rows, lines.of[rows], lines.order[rows], lines.ts[rows]))]


def shop_orders(
    rng: np.random.Generator,
    people: People,
    accounts: Accounts,
    ids: Texts,
    orders: Orders,
    lines: Lines,
    rows: Ints,
    block: int,
    span: Span,
) -> pa.Table:
    """The web shop's order lines as text, among them tests, repetitions, guests and rows nobody can read."""
    rows = rows[orders.channel[lines.order[rows]] != STORE]
    order, ts = lines.order[rows], lines.ts[rows]
    person = orders.person[order]
    second = keeper(accounts, accounts.second_shop, person, orders.ts[order])
    customer = ids[person, second.astype(np.int64)]
    guest = rng.random(len(orders))[order] < 0.006
    number = _order_number("W", orders.ts[order], order, block, lines.of[rows], span)
    loaded = ts + _delay(rng, len(rows))
    goods = catalog.products()
    table = pa.table(
        {
            "order_no": number,
            "placed_at": _stamp(ts, span),
            "customer_no": pa.array(np.where(guest, "", customer)),
            "sku": pa.array(goods.code[lines.product[rows]]),
            "department": pa.array(goods.category[lines.product[rows]]),
            "qty": _text(pa.array(lines.quantity[rows])),
            "unit_price": _money_text(lines.price[rows]),
            "discount": _money_text(lines.discount[rows]),
            "line_total": _money_text(lines.net[rows]),
            "currency": pa.array(np.full(len(rows), "CNY")),
            "channel": pa.array(np.array(CHANNELS)[orders.channel[order]]),
            "loaded_at": _stamp(loaded, span),
        }
    )
    table = _repeat(rng, pa.concat_tables([table, _tests(rng, len(people), block, span)]), 0.004)
    return _spoil(rng, table)


def _delay(rng: np.random.Generator, n: int) -> Ints:
    """Rows arrive within the hour, some within days, a few after weeks."""
    u = rng.random((2, n))
    days = np.where(u[0] < 0.003, 10 + 30 * u[1], np.where(u[0] < 0.02, 3 * u[1], (5 + 50 * u[1]) / 1_440))
    return np.asarray((days * DAY).astype(np.int64))


def _tests(rng: np.random.Generator, n: int, block: int, span: Span) -> pa.Table:
    """Orders that the shop's own people placed to try things out, about one for 400 customers."""
    count = max(1, n // 400)
    ts = np.sort((rng.random(count) * (span.end - 2 * DAY)).astype(np.int64))
    one = np.ones(count, np.int64)
    nth = np.arange(count)
    return pa.table(
        {
            "order_no": _order_number("TEST", ts, nth, block, np.zeros_like(nth), span),
            "placed_at": _stamp(ts, span),
            "customer_no": pa.array([TEST_ACCOUNT] * count),
            "sku": pa.array(["TEST001"] * count),
            "department": pa.array([""] * count),
            "qty": _text(pa.array(one)),
            "unit_price": _money_text(one),
            "discount": _money_text(one * 0),
            "line_total": _money_text(one),
            "currency": pa.array(["CNY"] * count),
            "channel": pa.array(["web"] * count),
            "loaded_at": _stamp(ts + 600, span),
        }
    )


def _repeat(rng: np.random.Generator, table: pa.Table, share: float) -> pa.Table:
    """Some rows twice, one after the other."""
    times = 1 + (rng.random(len(table)) < share)
    return table.take(pa.array(np.repeat(np.arange(len(table)), times)))


def _spoil(rng: np.random.Generator, table: pa.Table) -> pa.Table:
    """A few amounts and dates that nobody can read."""
    n = len(table)
    u = rng.random(n)
    which = rng.integers(0, 12, n)
    amount = pa.array(np.array(NO_AMOUNT)[which % len(NO_AMOUNT)])
    bad = pa.array(u < 0.0015)
    for name in ("unit_price", "line_total"):
        table = _set(table, name, pc.if_else(bad, amount, table[name]))
    date = pa.array(np.array(NO_DATE)[which % len(NO_DATE)])
    return _set(table, "placed_at", pc.if_else(pa.array(u > 0.9988), date, table["placed_at"]))


def _set(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def pos_sales(
    rng: np.random.Generator,
    people: People,
    keys: Texts,
    orders: Orders,
    lines: Lines,
    rows: Ints,
    block: int,
    span: Span,
) -> pa.Table:
    """The stores' lines: typed columns, local times, the member's telephone number as key, some without a card."""
    rows = rows[orders.channel[lines.order[rows]] == STORE]
    order, ts = lines.order[rows], lines.ts[rows]
    person = orders.person[order]
    forgotten = rng.random(len(orders))[order] < 0.012
    nobody = forgotten | ~people.member[person]
    goods = catalog.products()
    category = goods.category[lines.product[rows]]
    table = pa.table(
        {
            "receipt": _order_number("T", orders.ts[order], order, block, lines.of[rows], span),
            "sold_at": moment(ts + LOCAL, span),
            "member": pa.array(keys[person], mask=nobody),
            "article": pa.array(goods.code[lines.product[rows]]),
            "dept": pa.array(category, mask=category == ""),
            "pieces": pa.array(lines.quantity[rows].astype(np.int32)),
            "price": pa.array(lines.price[rows] / 100.0),
            "rebate": pa.array(lines.discount[rows] / 100.0),
            "total": pa.array(lines.net[rows] / 100.0),
            "currency": pa.array(np.full(len(rows), "CNY")),
            "place": pa.array(np.full(len(rows), CHANNELS[STORE])),
            "till": pa.array((1 + people.city[person] * 7 % 40 * 3 + order % 3).astype(np.int16)),
        }
    )
    return _repeat(rng, table, 0.002)


def app_events(accounts: Accounts, ids: Texts, events: Events, block: int, span: Span) -> pa.Table:
    """Visits, by time."""
    by = np.lexsort((np.arange(len(events.ts)), events.ts))
    person, product = events.person[by], events.product[by]
    second = keeper(accounts, accounts.second_app, person, events.ts[by]).astype(np.int64)
    return pa.table(
        {
            "user_id": pa.array(ids[person, second]),
            "at": _utc(events.ts[by], span),
            "action": pa.array(np.array(KINDS)[events.kind[by]]),
            "item": pa.array(catalog.products().code[np.maximum(product, 0)], mask=product < 0),
            "visit_id": pc.binary_join_element_wise(f"v{block}", _text(pa.array(events.session[by])), "-"),
            "seconds": pa.array(events.duration[by].astype(np.int32)),
            "platform": pa.array(np.array(PLATFORMS)[events.channel[by]]),
        }
    )


def app_feedback(accounts: Accounts, ids: Texts, said: Feedback, span: Span) -> pa.Table:
    """What users said."""
    second = keeper(accounts, accounts.second_app, said.person, said.ts).astype(np.int64)
    return pa.table(
        {
            "user_id": pa.array(ids[said.person, second]),
            "at": _utc(said.ts, span),
            "type": pa.array(np.array(FEEDBACK)[said.kind]),
            "score": pa.array(said.score / 100.0),
            "comment": pa.array(np.array(TEXTS)[said.text], mask=said.text == 0),
        }
    )


def app_campaigns(
    accounts: Accounts, ids: Texts, contacts: Contacts, orders: Orders, lines: Lines, span: Span
) -> pa.Table:
    """Who was contacted or kept back, and what came of it; known when the window has ended."""
    bought = (lines.of == 0).astype(np.float64)
    paid = np.bincount(lines.order, lines.net * bought, minlength=len(orders)).astype(np.int64)
    responded, revenue, cost = outcomes(contacts, orders, paid)
    second = keeper(accounts, accounts.second_app, contacts.person, contacts.ts).astype(np.int64)
    return pa.table(
        {
            "user_id": pa.array(ids[contacts.person, second]),
            "campaign": _campaign(contacts),
            "sent_at": _utc(contacts.ts, span),
            "treated": pa.array(contacts.treated),
            "responded": pa.array(responded),
            "revenue": pa.array(revenue / 100.0),
            "cost": pa.array(cost / 100.0),
            "closed_at": _utc(contacts.ts + WINDOW, span),
        }
    )


def true_campaigns(accounts: Accounts, ids: Texts, contacts: Contacts, people: Texts) -> pa.Table:
    """What each contact truly changed."""
    second = keeper(accounts, accounts.second_app, contacts.person, contacts.ts).astype(np.int64)
    return pa.table(
        {
            "record_id": pa.array(ids[contacts.person, second]),
            "campaign": _campaign(contacts),
            "person": pa.array(people[contacts.person]),
            "would_buy_anyway": pa.array(contacts.without),
            "uplift": pa.array(contacts.effect),
        }
    )


def _campaign(contacts: Contacts) -> pa.Array:
    return pc.binary_join_element_wise("camp", _padded(contacts.campaign + 1, 2), "-")


def app_subscriptions(accounts: Accounts, ids: Texts, members: Memberships, span: Span) -> pa.Table:
    """Paid memberships."""
    second = keeper(accounts, accounts.second_app, members.person, members.start).astype(np.int64)
    return pa.table(
        {
            "user_id": pa.array(ids[members.person, second]),
            "begun": _utc(members.start, span),
            "ended": _utc(members.end, span, members.end < 0),
            "plan": pa.array(np.array(catalog.PLANS)[members.plan]),
            "fee": pa.array(np.array(catalog.FEES)[members.plan] / 100.0),
        }
    )


def _order_number(prefix: str, ts: Ints, order: Ints, block: int, of: Ints, span: Span) -> pa.Array:
    """Day, block and number: alike for an order and what comes back of it, but for an R or a C before it."""
    lead = pa.array(np.array(["", "R", "C"])[of])
    day = pc.strftime(moment(ts, span), "%y%m%d")
    return pc.binary_join_element_wise(lead, prefix, day, f"{block:04d}", _padded(order, 5), "")


def _padded(values: Ints, width: int) -> pa.Array:
    return pc.utf8_lpad(_text(pa.array(values)), width, "0")


def _text(values: pa.Array) -> pa.Array:
    return values.cast(pa.string())


def _money_text(cents: Ints) -> pa.Array:
    """Cents as an amount in text.

    >>> _money_text(np.array([-1990, 5]))[0].as_py()
    '-19.9'
    """
    return _text(pa.array(cents / 100.0))


def moment(ts: Ints, span: Span) -> pa.Array:
    seconds = np.asarray(ts + span.epoch_day * DAY)
    return pa.array(seconds.astype("datetime64[s]"))


def _utc(ts: Ints, span: Span, none: Flags | None = None) -> pa.Array:
    seconds = np.asarray(ts + span.epoch_day * DAY)
    return pa.array(seconds, type=pa.int64(), mask=none).cast(pa.timestamp("s")).cast(pa.timestamp("s", tz="UTC"))


def _stamp(ts: Ints, span: Span) -> pa.Array:
    return pc.strftime(moment(ts, span), "%Y-%m-%d %H:%M:%S")


def money(cents: Ints | Floats) -> Floats:
    """Cents as yuan."""
    return np.asarray(cents / 100.0)
