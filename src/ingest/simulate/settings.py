"""The config that runs over the simulated files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

_TEXT = """\
# A simulated company: a web shop, stores and an app. Written by `custid simulate`; run it with
#
#     custid run {out}/custid.yaml
#
# What is true of these customers lies in {out}/truth and is not read by a run.
name: demo
workspace: {workspace}
as_of: {end}                      # the day after the last row
horizon: 90d

sources:
  # The web shop: an account per customer (some have two), one row per line of an order.
  - name: shop
    table: customers
    uri: {shop_customers}
    columns: {{record_id: customer_no, given_name: first_name, family_name: last_name, phone: mobile,
              birth_date: birthday, gender: sex, unit: apartment, state: province, postcode: zip,
              registered_at: registered, consent: marketing_ok}}
  - name: shop
    table: transactions
    uri: {shop_orders}
    columns: {{record_id: customer_no, order_id: order_no, ts: placed_at, product_id: sku, category: department,
              quantity: qty, amount: line_total, ingested_at: loaded_at}}

  # The stores: the key of a member is the telephone number; local times.
  - name: pos
    table: customers
    uri: {pos_members}
    columns: {{record_id: member_key, name: full_name, phone: mobile, birth_date: birth, street: address,
              registered_at: member_since}}
    date_format: "%d.%m.%Y"
    timezone: Asia/Shanghai
  - name: pos
    table: transactions
    uri: {pos_sales}
    columns: {{record_id: member, order_id: receipt, ts: sold_at, product_id: article, category: dept,
              quantity: pieces, unit_price: price, discount: rebate, amount: total, channel: place}}
    timezone: Asia/Shanghai

  # The app: visits, opinions, campaigns with a control group, memberships.
  - name: app
    table: customers
    uri: {app_users}
    columns: {{record_id: user_id, name: display_name, registered_at: created_at, valid_from: updated_at}}
  - name: app
    table: events
    uri: {app_events}
    columns: {{record_id: user_id, ts: at, kind: action, product_id: item, session_id: visit_id,
              duration: seconds, channel: platform}}
  - name: app
    table: feedback
    uri: {app_feedback}
    columns: {{record_id: user_id, ts: at, kind: type, text: comment}}
  - name: app
    table: campaigns
    uri: {app_campaigns}
    columns: {{record_id: user_id, campaign_id: campaign, ts: sent_at, ingested_at: closed_at}}
  - name: app
    table: subscriptions
    uri: {app_subscriptions}
    columns: {{record_id: user_id, started_at: begun, ended_at: ended}}

tasks: [high_value, clv, churn, intent, segments, risk, uplift, prospects]
high_value: {{share: 0.10}}
tuning: {{trials: 12}}
seed: {seed}
engine: duckdb
"""
FILES = {
    "shop_customers": "shop/customers.csv",
    "shop_orders": "shop/orders.csv",
    "pos_members": "pos/members.csv",
    "pos_sales": "pos/sales.parquet",
    "app_users": "app/users.parquet",
    "app_events": "app/events.parquet",
    "app_feedback": "app/feedback.parquet",
    "app_campaigns": "app/campaigns.parquet",
    "app_subscriptions": "app/subscriptions.parquet",
    "truth_customers": "truth/customers.parquet",
    "truth_identity": "truth/identity.parquet",
    "truth_campaigns": "truth/campaigns.parquet",
}
"""Every table that is written, and where under the output folder."""


def config_text(out: Path, start: date, days: int, seed: int) -> str:
    """The YAML of the config, with paths as they were given."""
    paths = {name: _quoted(out / file) for name, file in FILES.items()}
    end = start + timedelta(days=days)
    return _TEXT.format(out=out.as_posix(), workspace=_quoted(out / "workspace"), end=end, seed=seed, **paths)


def _quoted(path: Path) -> str:
    """A path as a YAML scalar: in single quotes, so that no character of it means anything."""
    return "'" + path.as_posix().replace("'", "''") + "'"
