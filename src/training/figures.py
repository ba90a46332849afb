"""Figures of a judged model: lift, calibration, drivers."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OURS, _GREY = "#1f6f8b", "#9a9a9a"
_LAYOUT = {"template": "plotly_white", "width": 640, "height": 440, "showlegend": False}
_SHOWN = 15


def gain(points: list[tuple[float, float]], title: str) -> Any:
    """How much of what counts is held by the customers of the highest scores."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={**_LAYOUT, "title": title})
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": _GREY, "dash": "dot"})
    figure.add_scatter(
        x=[x for x, _ in points], y=[y for _, y in points], mode="lines", line={"color": _OURS, "width": 3}
    )
    figure.update_xaxes(title="share of customers, highest scores first", tickformat=".0%")
    return figure.update_yaxes(title="share held", tickformat=".0%")


def calibration(points: list[tuple[float, float, int]], title: str, *, money: bool) -> Any:
    """What was stated against what happened."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={**_LAYOUT, "title": title})
    stated, seen = [p[0] for p in points], [p[1] for p in points]
    end = max([*stated, *seen, 1e-9]) if money else 1.0
    figure.add_scatter(x=[0, end], y=[0, end], mode="lines", line={"color": _GREY, "dash": "dot"})
    figure.add_scatter(
        x=stated,
        y=seen,
        mode="lines+markers",
        text=[f"{p[2]} customers" for p in points],
        line={"color": _OURS, "width": 3},
        marker={"size": 9},
    )
    figure.update_xaxes(title="stated")
    return figure.update_yaxes(title="happened")


def drivers(importance: Mapping[str, float], title: str) -> Any:
    """The features that move the scores most: mean size of their contributions."""
    import plotly.graph_objects as go

    top = list(importance.items())[:_SHOWN][::-1]
    figure = go.Figure(layout={**_LAYOUT, "title": title, "margin": {"l": 200}})
    figure.add_bar(x=[value for _, value in top], y=[name for name, _ in top], orientation="h", marker_color=_OURS)
    return figure.update_xaxes(title="mean size of the contribution")


def trials(losses: Sequence[float], marks: Mapping[str, float], title: str) -> Any:
    """The loss of each trial, the best so far, and what needs no search: when more search stopped paying."""
    import plotly.graph_objects as go

    done = [(number + 1, value) for number, value in enumerate(losses) if isfinite(value)]
    best = [min(value for _, value in done[: i + 1]) for i in range(len(done))]
    figure = go.Figure(layout={**_LAYOUT, "title": title})
    figure.add_scatter(x=[i for i, _ in done], y=[v for _, v in done], mode="markers", marker={"color": _GREY})
    figure.add_scatter(x=[i for i, _ in done], y=best, mode="lines", line={"color": _OURS, "width": 3, "shape": "hv"})
    for name, value in marks.items():
        figure.add_hline(y=value, line={"color": _GREY, "dash": "dot"}, annotation_text=name)
    figure.update_xaxes(title="trial")
    return figure.update_yaxes(title="loss, lower is better")


def choice(counts: list[int], silhouettes: list[float], stabilities: list[float]) -> Any:
    """How well parted and how stable each number of segments is."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={**_LAYOUT, "title": "segments: how many", "showlegend": True})
    figure.add_scatter(x=counts, y=silhouettes, mode="lines+markers", name="silhouette", line={"color": _GREY})
    figure.add_scatter(x=counts, y=stabilities, mode="lines+markers", name="stability", line={"color": _OURS})
    return figure.update_xaxes(title="number of segments", dtick=1)
