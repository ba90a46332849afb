"""Each family on a small history that can be reckoned by hand; the snapshot is 2024-03-15, a Friday."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import pytest

near = pytest.approx


def times(*texts: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"ts": datetime.fromisoformat(text), **fields} for text in texts]


def test_rfm(one: Any, order: Any) -> None:
    orders = [
        *order("2024-01-15 12:00", 6.0, 4.0),
        *order("2024-02-14 12:00", 20.0),
        *order("2024-02-14 18:00", 10.0),
        *order("2024-03-05 12:00", 30.0),
        *order("2024-03-06 12:00", -5.0),
    ]
    row = one(transactions=orders)
    assert row["purchases"] == 4
    assert row["repeat_days"] == 2
    assert row["recency_span"] == 50
    assert row["age"] == 60
    assert row["days_since_last"] == 9.5
    assert row["spend_total"] == 65
    assert row["spend_mean"] == 17.5
    assert row["spend_sd"] == near(math.sqrt((7.5**2 * 2 + 2.5**2 + 12.5**2) / 3))
    assert row["spend_max"] == 30
    assert row["spend_repeat_mean"] == 30


def test_rfm_of_a_single_purchase(one: Any, order: Any) -> None:
    row = one(transactions=order("2024-03-14 23:59:59", 8.0))
    assert (row["repeat_days"], row["recency_span"], row["age"]) == (0, 0, 1)
    assert row["days_since_last"] == near(1 / 86_400)
    assert row["spend_repeat_mean"] is None
    assert row["spend_sd"] is None


def test_an_order_is_cut_at_the_snapshot(one: Any, order: Any) -> None:
    early = order("2024-03-14 23:00", 5.0, order_id="a")
    late = order("2024-03-15 01:00", 90.0, -99.0, order_id="a")
    row = one(transactions=early + late)
    assert (row["purchases"], row["spend_total"], row["spend_max"]) == (1, 5, 5)


def test_cadence(one: Any, order: Any) -> None:
    days = ["2024-01-05", "2024-01-15", "2024-02-04", "2024-02-14", "2024-02-24"]
    row = one(transactions=[line for day in days for line in order(f"{day} 09:00", 1.0)])
    assert row["gap_mean"] == 12.5
    assert row["gap_sd"] == 5
    assert row["gap_cv"] == 0.4
    assert row["gap_median"] == 10
    assert (row["gap_min"], row["gap_max"], row["gap_last"]) == (10, 20, 10)
    assert row["gap_last_ratio"] == 0.8
    assert row["gap_recent_ratio"] == near(40 / 3 / 12.5)
    assert row["silence_ratio"] == 1.6
    assert row["silence_median_ratio"] == 2
    assert row["silence_sd"] == 1.5
    assert row["gaps_longer_share"] == 0
    assert row["gap_concentration"] == near((100 + 400 + 100 + 100 + 400) / 70**2)


def test_cadence_of_a_single_purchase_is_unknown(one: Any, order: Any) -> None:
    row = one(transactions=order("2024-03-05", 1.0))
    assert row["gap_mean"] is None
    assert row["silence_ratio"] is None
    assert row["gap_concentration"] == 1


def test_windows(one: Any, order: Any) -> None:
    orders = [
        *order("2024-03-14", 1.0),
        *order("2024-02-14", 2.0),
        *order("2024-02-13 23:59:59", 4.0),
        *order("2023-12-16", 8.0),
        *order("2023-12-15 23:59", 16.0),
        *order("2023-03-21", 32.0),
        *order("2023-03-15", 64.0),
    ]
    row = one(transactions=orders)
    assert [row[f"spend_{n}"] for n in (30, 90, 180, 365)] == [3, 15, 31, 63]
    assert [row[f"purchases_{n}"] for n in (30, 90, 180, 365)] == [2, 4, 5, 6]
    assert (row["active_days_90"], row["active_days_365"]) == (4, 6)
    assert row["active_months"] == 5
    assert row["spend_share_90"] == near(15 / 127)
    assert row["active_share_90"] == near(4 / 7)
    assert row["spend_change_90"] == near((15 - 16) / 31)
    assert row["spend_change_180"] == near((31 - 32) / 63)
    assert row["active_change_90"] == near(3 / 5)
    assert row["active_change_180"] == near(4 / 6)


def test_slopes_are_least_squares_lines(one: Any, order: Any) -> None:
    counts = [3 if month == 10 else 0 for month in range(12)]
    orders = [line for day in (16, 17, 18) for line in order(f"2024-01-{day}", 2.0)]
    row = one(transactions=orders)
    mean = sum((x - 5.5) ** 2 for x in range(12))
    slope = sum((x - 5.5) * count for x, count in enumerate(counts)) / mean
    assert row["active_slope"] == near(slope)
    assert row["spend_slope"] == near(2 * slope)


def test_basket(one: Any, order: Any) -> None:
    orders = [
        *order("2023-06-01", 6.0, product_id="a", quantity=30_000),
        *order("2024-03-01", 4.0, product_id="a", quantity=20_000, order_id="x"),
        *order("2024-03-01", 5.0, product_id="b", quantity=10_000, order_id="x"),
        *order("2024-03-01", -1.0, product_id="c", quantity=-10_000, order_id="x"),
    ]
    row = one(transactions=orders)
    assert (row["basket_lines"], row["basket_lines_max"], row["basket_quantity"]) == (2, 3, 3)
    assert row["line_mean"] == 5
    assert row["unit_price_mean"] == 2.5
    assert (row["products"], row["products_90"], row["products_per_purchase"]) == (2, 2, 1)
    assert row["repeat_product_share"] == 0.5
    assert row["new_product_share_90"] == 0.5
    assert row["top_product_share"] == near(10 / 15)


def test_products_that_nobody_named_are_unknown(one: Any, order: Any) -> None:
    row = one(transactions=order("2024-03-01", 5.0))
    assert row["products"] is None
    assert row["basket_quantity"] is None
    assert row["basket_lines"] == 1


def test_preferences_break_ties_by_name(one: Any, order: Any) -> None:
    orders = [
        *order("2024-03-04 09:30", 1.0, 1.0, category="toys", channel="web"),
        *order("2024-03-11 09:10", 1.0, category="books", channel="shop"),
        *order("2024-03-12 21:00", 1.0, category="books"),
        *order("2024-03-12 21:30", 1.0),
    ]
    row = one(transactions=orders)
    assert (row["top_category"], row["top_category_share"], row["categories"]) == ("books", 0.5, 2)
    assert (row["top_channel"], row["top_channel_share"], row["channels"]) == ("shop", 0.5, 2)
    assert (row["top_hour"], row["top_hour_share"]) == ("09", 0.5)
    assert (row["top_weekday"], row["top_weekday_share"]) == ("Monday", 0.5)


def test_returns(one: Any, order: Any) -> None:
    orders = [*order("2023-03-01", 50.0, 30.0, -10.0), *order("2024-02-14 22:00", -6.0)]
    row = one(transactions=orders)
    assert (row["returns"], row["returns_180"]) == (2, 1)
    assert (row["return_value"], row["return_value_180"]) == (16, 6)
    assert (row["return_share"], row["return_share_180"]) == (0.2, None)
    assert row["return_line_share"] == 0.5
    assert row["days_since_return"] == 30


def test_discounts(one: Any, order: Any) -> None:
    orders = [
        *order("2023-03-01", 6.0, discount=40_000),
        *order("2024-03-05", 9.0, discount=10_000),
        *order("2024-03-06", 10.0, discount=0),
        *order("2024-03-07", 99.0),
    ]
    row = one(transactions=orders)
    assert row["discount_total"] == 5
    assert row["discount_share"] == near(5 / 30)
    assert row["discount_share_180"] == near(1 / 20)
    assert row["discounted_line_share"] == near(2 / 3)
    assert row["days_since_discount"] == 10


def test_discounts_that_nobody_recorded_are_unknown(one: Any, order: Any) -> None:
    row = one(transactions=order("2024-03-01", 5.0))
    assert row["discount_total"] is None
    assert row["discounted_line_share"] is None


def test_calendar(one: Any, order: Any) -> None:
    when = ["2024-01-06 05:59", "2024-02-05 06:00", "2023-06-06 12:00", "2023-10-01 18:00"]
    row = one(transactions=[line for text in when for line in order(text, 1.0)])
    assert row["weekend_share"] == 0.5
    assert [row[f"quarter_{q}_share"] for q in (1, 2, 3, 4)] == [0.5, 0.25, 0, 0.25]
    assert [row[f"{band}_share"] for band in ("night", "morning", "afternoon", "evening")] == [0.25] * 4


def test_season(one: Any, order: Any) -> None:
    orders = [
        *order("2023-03-15", 1.0),
        *order("2023-03-16", 2.0),
        *order("2023-04-14 23:59", 4.0),
        *order("2023-06-13", 8.0),
        *order("2023-09-11", 16.0),
    ]
    row = one(transactions=orders)
    assert [row[f"spend_ahead_{n}_year_ago"] for n in (30, 90, 180)] == [6, 14, 30]
    assert [row[f"purchases_ahead_{n}_year_ago"] for n in (30, 90, 180)] == [2, 3, 4]
    recent = one(transactions=order("2023-03-17", 1.0))
    assert recent["spend_ahead_90_year_ago"] is None


def test_moment(one: Any, order: Any) -> None:
    row = one(at=date(2024, 4, 1), transactions=order("2024-03-01", 1.0))
    assert (row["month_sin"], row["month_cos"]) == (near(1), near(0, abs=1e-12))


def test_visits(one: Any, order: Any) -> None:
    events = [
        *times("2024-03-14 12:00", "2024-03-14 12:00", kind="view", product_id="a", session_id="1", duration=10.0),
        *times("2024-02-20 12:00", kind="cart", product_id="b", session_id="2", duration=4.0),
        *times("2024-02-10", "2023-01-01", kind="view"),
    ]
    row = one(transactions=order("2024-03-01", 1.0), events=events)
    assert (row["visits"], row["visits_30"], row["visits_90"]) == (5, 3, 4)
    assert row["visits_change_30"] == 0.5
    assert (row["visit_days"], row["visit_days_30"]) == (4, 2)
    assert (row["visit_kinds"], row["visit_sessions"]) == (2, 2)
    assert (row["products_viewed"], row["products_viewed_30"]) == (2, 2)
    assert row["days_since_visit"] == 0.5
    assert row["visit_duration_mean"] == 8
    silent = one(transactions=order("2024-03-01", 1.0))
    assert (silent["visits"], silent["days_since_visit"], silent["visits_change_30"]) == (0, None, None)


def test_opinions(one: Any, order: Any) -> None:
    feedback = [
        *times("2023-01-01", kind="rating", score=1.0),
        *times("2024-03-05", kind="complaint", score=0.0),
        *times("2024-03-10", kind="rating", score=0.75),
        *times("2024-03-10", kind="rating", score=0.25),
    ]
    row = one(transactions=order("2024-03-01", 1.0), feedback=feedback)
    assert row["feedbacks"] == 4
    assert row["score_mean"] == 0.5
    assert row["score_mean_180"] == near(1 / 3)
    assert (row["score_min"], row["score_last"]) == (0, 0.25)
    assert (row["complaints"], row["complaints_180"]) == (1, 1)
    assert (row["days_since_feedback"], row["days_since_complaint"]) == (5, 10)


def test_campaigns_count_answers_once_they_are_settled(one: Any, order: Any) -> None:
    contact = {"treated": True, "cost": 5_000}
    campaigns = [
        *times("2024-03-05", **contact, responded=True, revenue=990_000),
        *times("2024-01-05", **contact, responded=True, revenue=80_000),
        *times("2023-01-05", **contact, responded=False),
        *times("2024-01-05", treated=False, responded=True, revenue=70_000),
    ]
    row = one(transactions=order("2024-03-01", 1.0), campaigns=campaigns)
    assert (row["contacts"], row["contacts_90"], row["contacts_withheld"]) == (3, 2, 1)
    assert row["days_since_contact"] == 10
    assert row["contact_cost_total"] == 1.5
    assert (row["responses"], row["response_share"], row["response_revenue"]) == (1, 0.5, 8)
    assert row["days_since_response"] == 70


def test_subscriptions(one: Any) -> None:
    subscriptions = [
        {"started_at": datetime(2023, 3, 16), "ended_at": datetime(2024, 3, 5), "plan": "gold", "fee": 90_000},
        {"started_at": datetime(2024, 2, 14), "ended_at": datetime(2024, 3, 15), "plan": "basic", "fee": 50_000},
        {"started_at": datetime(2024, 3, 15), "plan": "later", "fee": 10_000},
    ]
    row = one(subscriptions=subscriptions)
    assert (row["subscriptions_open"], row["subscriptions_ended"]) == (1, 1)
    assert (row["subscription_tenure"], row["subscription_newest_days"]) == (365, 30)
    assert row["days_since_subscription_end"] == 10
    assert row["subscription_fee"] == 5
    assert row["subscription_plan"] == "basic"
    assert (row["purchases"], row["spend_total"], row["products"], row["age"]) == (0, 0, 0, None)


def test_demographics_are_the_newest_that_were_known(one: Any, order: Any) -> None:
    customers = [
        {"gender": "f", "country": "UK", "registered_at": datetime(2023, 3, 16), "valid_from": datetime(2023, 3, 16)},
        {"country": "CN", "city": "北京", "birth_date": datetime(1994, 3, 15), "valid_from": datetime(2024, 1, 1)},
        {"country": "US", "city": "Rome", "valid_from": datetime(2024, 3, 15)},
    ]
    row = one(transactions=order("2024-03-01", 1.0), customers=customers)
    assert (row["gender"], row["country"], row["city"]) == ("f", "CN", "北京")
    assert row["age_years"] == near(30, abs=0.01)
    assert (row["days_since_registration"], row["registrations"]) == (365, 2)


def test_newest(one: Any, order: Any) -> None:
    events = [
        *times("2024-03-14 12:00", "2024-03-14 12:01", kind="view", product_id="a", session_id="1", duration=2.0),
        *times("2024-03-12", kind="Add_To_Cart", product_id="a", session_id="1", duration=3.0),
        *times("2024-03-08", kind="搜索", session_id="2"),
        *times("2024-03-07 23:59", "2024-03-01", kind="Favourite", product_id="b"),
        *times("2024-02-14", kind="checkout"),
        *times("2024-02-13", kind="checkout"),
    ]
    row = one(transactions=order("2024-03-13", 1.0), events=events)
    assert [row[f"visits_{n}"] for n in (1, 3, 7, 14)] == [2, 3, 4, 6]
    assert [row[f"{sign}_events_7"] for sign in ("cart", "search", "wish")] == [1, 1, 0]
    assert [row[f"{sign}_share_30"] for sign in ("cart", "search", "wish")] == [near(2 / 7), near(1 / 7), near(2 / 7)]
    assert row["visits_share_7"] == near(4 / 7)
    assert row["days_since_cart"] == 3
    assert (row["visit_days_7"], row["visit_kinds_7"], row["visit_sessions_7"]) == (3, 3, 2)
    assert row["looked_again_14"] == 3
    assert row["visit_seconds_7"] == 7
    silent = one(transactions=order("2024-03-13", 1.0), events=times("2023-01-01", kind="view"))
    assert (silent["visits_7"], silent["cart_share_30"], silent["visits_share_7"]) == (0, None, None)


def test_pending_is_what_no_purchase_came_after(one: Any, order: Any) -> None:
    events = [*times("2024-03-14", kind="view"), *times("2024-03-12", kind="cart")]
    row = one(transactions=order("2024-03-13", 1.0), events=events)
    assert (row["days_since_open_visit"], row["days_since_open_cart"]) == (1, None)
    before = one(transactions=order("2024-03-01", 1.0), events=events)
    assert (before["days_since_open_visit"], before["days_since_open_cart"]) == (1, 3)


def test_departures(one: Any, order: Any) -> None:
    web = {"product_id": "a", "category": "x", "channel": "web", "quantity": 10_000}
    odd = {"product_id": "b", "category": "y", "channel": "shop", "quantity": 60_000, "discount": 100_000}
    orders = [
        *order("2024-01-15 09:00", 10.0, discount=0, **web),
        *order("2024-02-01 10:00", 20.0, 10.0, -10.0, **web),
        *order("2024-03-01 03:00", 60.0, 20.0, 10.0, **odd),
        *order("2024-03-02 08:00", 10.0, discount=0, **web),
        *order("2024-03-03", -100.0),
    ]
    row = one(transactions=orders)
    assert row["recent_pace_ratio"] == 1
    assert (row["recent_amount_ratio"], row["recent_record_ratio"]) == (6, 4.5)
    assert row["recent_lines_ratio"] == 1.5
    assert row["recent_quantity_ratio"] == near(18 / 1.5)
    assert row["recent_return_share"] == 0.5
    assert row["recent_return_change"] == 0.5 - 0.2
    assert row["recent_discount_change"] == near(30 / 130)
    assert [row[f"recent_new_{what}_share"] for what in ("product", "category", "channel", "time")] == [0.5] * 4
    alone = one(transactions=order("2024-03-01", 5.0))
    assert {alone[name] for name in alone if name.startswith("recent_")} == {None, 0}
