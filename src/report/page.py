"""From inputs to the page."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from ..profiles.rules import missing
from ..profiles.stage import FACTS
from .charts import bars
from .contact import contact
from .data import data
from .headline import headline
from .leaving import leaving
from .matter import matter
from .moving import moving
from .people import ROWS, Rows, at_stake, people, ranked, to_take
from .prospects import prospects
from .run import commands, facts
from .sure import sure
from .swayed import swayed
from .watch import odd, soon
from .who import who
from .words import NAMES, leaving_means

if TYPE_CHECKING:
    from .charts import Bar
    from .drivers import Driver
    from .inputs import Inputs

COLUMNS = (
    "customer_id",
    "tier",
    "lifecycle",
    "segment",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "p_churn",
    "p_high_value",
    "p_intent",
    "risk",
    "uplift",
    "next_action",
)
"""Columns of the list to take away, as far as they are known."""

_TITLES = {
    "expected_value": ("expected to spend most", "expected spend"),
    "p_high_value": ("most likely to be among the best", "the chance of being among the best"),
    "p_churn": ("most likely to leave", "the chance of leaving"),
    "uplift": ("whom contact changes most", "what contact changes"),
}

MOST = 6
"""Drivers of a score that are shown."""

STAKES = 10
"""Customers in the table of what is at stake."""


def page(inputs: Inputs) -> str:
    """The whole page as HTML: style, script, charts and data inline, nothing loaded from anywhere."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _file("script.html")
    rows = to_take(inputs)
    return environment.get_template("page.html").render(
        _context(inputs),
        listed=f"{len(rows):,}",
        style=Markup(_file("style.css")),
        script=Markup(script),
        script_hash=f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'",
        customers=Markup(embedded(_list(inputs, rows))),
    )


def _context(inputs: Inputs) -> dict[str, Any]:
    known = ("p_high_value", "expected_value", "p_churn", "p_intent", "segment", "risk", "uplift")
    columns = [*(name for name in known if inputs.has(name)), *(FACTS if inputs.has_history else ())]
    titles = (words for name, words in _TITLES.items() if inputs.has(name))
    title, why = next(titles, ("in the order of their ids", "it"))
    top = people(inputs, ranked(inputs)[:ROWS], ("clv", "high_value", "churn", "uplift"))
    return {
        "name": inputs.config.name,
        "day": f"{inputs.as_of:%-d %B %Y}",
        "days": inputs.days,
        "tasks": inputs.config.tasks if inputs.has("segment") else (),
        "tiles": headline(inputs),
        "missing": missing(inputs.config, columns),
        "who": who(inputs),
        "moving": moving(inputs),
        "matter": matter(inputs),
        "drivers": {task: _bars(found) for task, found in inputs.drivers.items()} | _none(inputs),
        "top": top,
        "top_title": f"The {min(ROWS, inputs.count)} customers {title}",
        "top_why": why,
        "rhythm": any(not why.value for person in top for why in person.why),
        "actions": sorted(set(inputs.columns["next_action"].tolist())),
        "file_name": f"{inputs.config.name}-{inputs.as_of.isoformat()}.csv",
        "leaving": leaving(inputs),
        "leaving_means": leaving_means(inputs.config, inputs.days),
        "contact": contact(inputs),
        "swayed": swayed(inputs),
        "has_value": inputs.has("expected_value"),
        "soon": soon(inputs),
        "odd": odd(inputs),
        "prospects": prospects(inputs),
        "stake": people(inputs, at_stake(inputs)[:STAKES], ("churn", "clv")),
        "sure": sure(inputs),
        "names": NAMES,
        "data": data(inputs),
        "facts": facts(inputs),
        "commands": commands(inputs),
    }


def _none(inputs: Inputs) -> dict[str, tuple[Bar, ...]]:
    return {task: () for task in ("churn", "clv", "uplift") if task not in inputs.drivers}


def _bars(found: tuple[Driver, ...]) -> tuple[Bar, ...]:
    whole = sum(driver.size for driver in found) or 1.0
    return bars([(d.about, d.direction, d.size / whole, "", True) for d in found[:MOST]])


def _list(inputs: Inputs, rows: Rows) -> dict[str, Any]:
    names = [name for name in COLUMNS if inputs.has(name)]
    columns = [inputs.columns[name][rows].tolist() for name in names]
    digits = {"p_churn": 4, "p_high_value": 4, "p_intent": 4, "risk": 4, "uplift": 4}
    rounded = [
        [round(v, digits.get(name, 2)) if isinstance(v, float) else v for v in values]
        for name, values in zip(names, columns, strict=True)
    ]
    return {"columns": names, "rows": list(map(list, zip(*rounded, strict=True)))}


def embedded(value: object) -> str:
    r"""JSON that can stand inside a script element: nothing in it ends the element or opens a comment.

    >>> embedded("</script>")
    '"\\u003c/script>"'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
