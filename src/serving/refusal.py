"""How a request is refused: a status, one sentence, and the field that it is about."""

from __future__ import annotations

import msgspec

from ..errors import InputError


class RequestError(InputError):
    """A request that cannot be answered: an HTTP status, a sentence, and the field it is about."""

    def __init__(self, status: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.field = field


def wrong(field: str, what: str) -> RequestError:
    """The refusal (422) of one field: ``field: what``."""
    return RequestError(422, f"{field}: {what}", field)


def shown(value: object) -> str:
    """A value as a message may show it: in JSON, and short.

    >>> shown("x" * 100), shown({"a": 1}), shown(None)
    ('"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."', 'an object', 'null')
    """
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        value = value if len(value) <= 40 else f"{value[:38]}..."
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
        return "an integer of more than 40 digits"
    return msgspec.json.encode(value).decode()


def short(key: str) -> str:
    """A name as a message may show it."""
    return key if len(key) <= 60 else f"{key[:57]}..."
