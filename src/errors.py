"""What can go wrong, by whose fault it is.

Every message is one or two sentences that name the file, column, row or setting, its value, and what was expected.
The command line turns an :class:`InputError` into exit code 2 and any other :class:`CustidError` into exit code 1.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CustidError(Exception):
    """Anything custid says on purpose."""

    exit_code = 1


class InputError(CustidError):
    """The user's mistake: a file, a setting or a request that cannot be used as it is."""

    exit_code = 2


class ConfigError(InputError):
    """A setting that is unknown, misplaced or of the wrong form."""


class DataError(InputError):
    """A table that cannot be read, or of which nothing usable is left."""


class TooFewCustomersError(InputError):
    """There are customers, but not enough of them to learn from."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word closest to ``word``, or an empty string.

    >>> nearest("horizn", ["horizon", "as_of"])
    " Did you mean 'horizon'?"
    >>> nearest("zzz", ["horizon"])
    ''
    """
    match = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{match[0]}'?" if match else ""


def masked(uri: str) -> str:
    """An address as a message may show it, without the user and password of a database.

    >>> masked("postgresql://ann:secret@db.example/shop?password=secret")
    'postgresql://***@db.example/shop?password=***'
    """
    uri = re.sub(r"(?<=://)[^/\s]*@", "***@", uri)
    return re.sub(r"(?i)((?:password|passfile|sslpassword)=)[^&\s]*", r"\1***", uri)
