"""Figures as people read them."""

from __future__ import annotations

import math

SIGNS = {"GBP": "£", "USD": "$", "EUR": "€", "CNY": "¥", "JPY": "¥", "INR": "₹", "KRW": "₩"}
_STEPS = ((1e9, " billion"), (1e6, " million"), (1e3, "k"))


def count(value: float) -> str:
    """A whole number with its thousands apart.

    >>> count(4969)
    '4,969'
    """
    return f"{round(value):,}"


def share(value: float) -> str:
    """A share as a percentage: whole from 10 % on, one decimal below.

    >>> share(0.4217), share(0.042), share(0), share(0.99996)
    ('42%', '4.2%', '0%', '>99.9%')
    """
    percent = 100 * value
    if percent in (0, 100):
        return f"{percent:.0f}%"
    if percent > 99.9:
        return ">99.9%"
    if 0 < percent < 0.1:
        return "<0.1%"
    return f"{percent:.1f}%" if abs(percent) < 9.95 or percent > 99 else f"{percent:.0f}%"


def money(value: float, currency: str | None = None) -> str:
    """An amount of money to the nearest unit, in cents where it is small.

    >>> money(1234.5, "GBP"), money(3.2, "CHF"), money(-12), money(0.0)
    ('£1,234', '3.20 CHF', '-12.00', '0')
    """
    text = "0" if value == 0 else f"{abs(value):,.2f}" if abs(value) < 100 else f"{abs(value):,.0f}"
    return _with_currency(text, currency, value < 0)


def big_money(value: float, currency: str | None = None) -> str:
    """An amount of money in three figures.

    >>> big_money(2_345_678, "GBP"), big_money(54_321), big_money(999)
    ('£2.35 million', '54.3k', '999')
    """
    for size, name in _STEPS:
        if abs(value) >= size * 0.9995:
            scaled = abs(value) / size
            return _with_currency(
                f"{scaled:.{max(0, 2 - int(math.log10(scaled * 1.0005)))}f}{name}", currency, value < 0
            )
    return money(value, currency)


def _with_currency(text: str, currency: str | None, negative: bool) -> str:
    minus = "-" if negative else ""
    if currency is None:
        return minus + text
    return f"{minus}{SIGNS[currency]}{text}" if currency in SIGNS else f"{minus}{text} {currency}"


def decimal(value: float) -> str:
    """A measure between 0 and 1, or a small number, to three digits.

    >>> decimal(0.80912), decimal(12.3456), decimal(544.7)
    ('0.809', '12.35', '544.7')
    """
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}" if abs(value) < 100 else f"{value:,.1f}"


def listing(words: list[str]) -> str:
    """Words as a sentence lists them.

    >>> listing(["a", "b", "c"]), listing(["a"])
    ('a, b and c', 'a')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
