"""The page of a backtest, from ``backtest.json`` alone."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from .. import report
from ..report.format import listing
from ..report.words import NAMES, TASKS
from .figures import by_origin, calibration, levels, rows, shown

if TYPE_CHECKING:
    from collections.abc import Mapping


def page(result: Mapping[str, Any]) -> str:
    """The page as HTML: style and charts inline, nothing loaded from anywhere.

    Parameters
    ----------
    result
        What :func:`~custid.backtest.stage.backtest` writes.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(__package__, "."), PackageLoader(report.__name__, ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = resources.files(report.__name__).joinpath("style.css").read_text(encoding="utf-8")
    return environment.get_template("backtest.html").render(
        name=result["name"],
        as_of=result["as_of"],
        origins=listing(result["origins"]),
        tasks=[_section(task, told, result) for task, told in result["tasks"].items()],
        left_out=result["left_out"],
        how=result["how"],
        names=NAMES,
        coverage=f"{100 * result['coverage']:.0f}%",
        style=Markup(style),
    )


def _section(task: str, told: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    currency = result["currency"]
    head, body = levels(told, currency)
    notes = dict.fromkeys(f"{day}: {note}" for day, block in told["origins"].items() for note in block["notes"])
    return {
        "id": task,
        "title": TASKS.get(task, task),
        "question": told["question"],
        "verdict": told["verdict"],
        "figures": [by_origin(told, name, currency) for name in shown(task, told)],
        "rows": rows(task, told, currency),
        "calibration": calibration(told),
        "head": head,
        "levels": body,
        "has_interval": "coverage" in told["pooled"]["model"],
        "notes": list(notes),
    }
