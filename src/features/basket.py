"""What a purchase holds, at which price level, and how broad and how faithful the choice of products is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tables import SCALE
from .family import Columns, Family, Feature
from .formulas import double, known_count, known_money, number, ratio, share

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _lines(lines: ibis.Table, _: Moment) -> Columns:
    sale = lines.amount > 0
    priced = sale & (lines.quantity > 0)
    return {
        "sale_lines": lines.count(where=sale),
        "sale_amount": lines.amount.sum(where=sale),
        "priced_amount": lines.amount.sum(where=priced),
        "priced_quantity": lines.quantity.sum(where=priced),
    }


def _purchases(purchases: ibis.Table, _: Moment) -> Columns:
    return {
        "purchases_all": purchases.count(),
        "purchase_lines": purchases.lines.sum(),
        "purchase_lines_most": purchases.lines.max(),
        "purchase_quantity": purchases.quantity.sum(),
        "purchases_weighed": purchases.quantity.count(),
    }


def _products(products: ibis.Table, at: Moment) -> Columns:
    recent = at.within(products["last"], 90)
    return {
        "products_all": products.count(),
        "products_again": products.count(where=products["first"] < products["last"]),
        "products_recent": products.count(where=recent),
        "products_new": products.count(where=at.within(products["first"], 90)),
        "product_amount": products.amount.sum(),
        "product_amount_most": products.amount.max(),
    }


def _formulas(row: ibis.Table, _: Moment) -> Columns:
    return {
        "basket_lines": ratio(row.purchase_lines, row.purchases_all),
        "basket_lines_max": number(row.purchase_lines_most),
        "basket_quantity": ratio(row.purchase_quantity, row.purchases_weighed) / double(SCALE),
        "line_mean": ratio(known_money(row.sale_amount), row.sale_lines),
        "unit_price_mean": ratio(row.priced_amount, row.priced_quantity),
        "products": known_count(row.products_all, row.purchases_all),
        "products_90": known_count(row.products_recent, row.purchases_all),
        "products_per_purchase": ratio(row.products_all, row.purchases_all),
        "repeat_product_share": share(row.products_again, row.products_all),
        "new_product_share_90": ratio(row.products_new, row.products_recent),
        "top_product_share": ratio(row.product_amount_most, row.product_amount),
    }


FAMILY = Family(
    name="basket",
    features=(
        Feature("basket_lines", "mean lines of a purchase", "count"),
        Feature("basket_lines_max", "most lines of a purchase", "count"),
        Feature("basket_quantity", "mean pieces of a purchase", "count"),
        Feature("line_mean", "mean amount of a line, returns apart", "money"),
        Feature("unit_price_mean", "amount per piece, returns apart", "money"),
        Feature("products", "different products bought", "count"),
        Feature("products_90", "different products bought in the last 90 days", "count"),
        Feature("products_per_purchase", "different products over purchases: low is faithful", "ratio"),
        Feature("repeat_product_share", "share of the products that were bought on more than one day", "share"),
        Feature("new_product_share_90", "of the products of the last 90 days, the share never bought before", "share"),
        Feature("top_product_share", "share of the amount that went into the product most was spent on", "share"),
    ),
    measures={"lines": _lines, "purchases": _purchases, "products": _products},
    formulas=_formulas,
)
