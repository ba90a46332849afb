"""Keys in standard form, as SQL: two spellings of one address or number become the same text, everything else NULL."""

from __future__ import annotations

from ..errors import ConfigError, nearest

COUNTRY_CODES = {
    "AT": "43", "AU": "61", "BE": "32", "BR": "55", "CA": "1", "CH": "41", "CN": "86", "DE": "49", "DK": "45",
    "ES": "34", "FI": "358", "FR": "33", "GB": "44", "HK": "852", "IE": "353", "IN": "91", "IT": "39", "JP": "81",
    "KR": "82", "MO": "853", "MX": "52", "MY": "60", "NL": "31", "NO": "47", "NZ": "64", "PH": "63", "PL": "48",
    "PT": "351", "SE": "46", "SG": "65", "TH": "66", "TW": "886", "US": "1", "VN": "84", "ZA": "27",
}  # fmt: skip
"""Countries whose telephone numbers are known without a country code."""
_NO_TRUNK = ("IT", "HK", "MO", "SG", "DK", "NO", "ES", "PT", "PL")


def email(column: str) -> str:
    """An e-mail address in lower case and without blanks; NULL where it is none.

    >>> import duckdb
    >>> duckdb.sql(f"SELECT {email('x')} FROM (VALUES (' Ann@Example.COM '), ('none')) t(x)").fetchall()
    [('ann@example.com',), (None,)]
    """
    text = rf"regexp_replace(lower({column}), '\s|^mailto:', '', 'g')"
    return f"CASE WHEN regexp_full_match({text}, '[^@]+@[^@]+\\.[^@.]+') THEN {text} END"


def phone(column: str, region: str) -> str:
    """A telephone number as ``+``, country code and digits; NULL where it has too few or too many, or only one digit.

    ``region`` is the country of numbers that name none; their leading 0 is dropped where the country does so.

    >>> import duckdb
    >>> spelt = "('138 0013 8000'), ('+86-13800138000'), ('0086 13800138000'), ('8613800138000')"
    >>> duckdb.sql(f"SELECT DISTINCT {phone('x', 'CN')} FROM (VALUES {spelt}) t(x)").fetchall()
    [('+8613800138000',)]
    """
    code = country_code(region)
    text = rf"regexp_replace(regexp_replace(lower({column}), '(ext|x|转|;).*$', ''), '\(0\)|[^0-9+]', '', 'g')"
    national = text if region in _NO_TRUNK else f"regexp_replace({text}, '^0', '')"
    whole = (
        f"CASE WHEN {text}[1] = '+' THEN '+' || replace({text}, '+', '') "
        f"WHEN {text}[1:2] = '00' THEN '+' || {text}[3:] "
        f"WHEN {text}[1:{len(code)}] = '{code}' AND len({text}) >= {len(code) + 10} THEN '+' || {text} "
        f"ELSE '+{code}' || {national} END"
    )
    one_digit = " OR ".join(f"{text} = repeat('{d}', len({text}))" for d in range(10))
    return f"CASE WHEN regexp_full_match({whole}, '\\+[1-9][0-9]{{7,14}}') AND NOT ({one_digit}) THEN {whole} END"


def country_code(region: str) -> str:
    """The country code of a region such as ``CN``.

    >>> country_code("CN")
    '86'
    """
    if region not in COUNTRY_CODES:
        raise ConfigError(
            f"identity.region: {region!r} is not known; expected one of {', '.join(COUNTRY_CODES)}."
            f"{nearest(region, COUNTRY_CODES)}"
        )
    return COUNTRY_CODES[region]


def national_id(column: str) -> str:
    """A national id in capitals and without marks; NULL where fewer than six characters are left, or one repeated.

    >>> import duckdb
    >>> duckdb.sql(f"SELECT {national_id('x')} FROM (VALUES ('ab-12 34 56'), ('0000000')) t(x)").fetchall()
    [('AB123456',), (None,)]
    """
    text = rf"regexp_replace(upper({column}), '[^0-9A-Z]', '', 'g')"
    return f"CASE WHEN len({text}) >= 6 AND {text} <> repeat({text}[1], len({text})) THEN {text} END"
