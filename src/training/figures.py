"""Figures of a judged model: lift, calibration, drivers."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OURS, _GREY, _LIGHT = "#1f6f8b", "#9a9a9a", "#d0d0d0"
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


def profit(points: list[tuple[float, float]], best: float, title: str) -> Any:
    """Profit per customer by the share contacted, and the share that pays best."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={**_LAYOUT, "title": title})
    figure.add_scatter(
        x=[x for x, _ in points], y=[y for _, y in points], mode="lines", line={"color": _OURS, "width": 3}
    )
    figure.add_vline(best, line={"color": _GREY, "dash": "dot"}, annotation_text=f"contact {best:.0%}")
    figure.update_xaxes(title="share of customers contacted, highest scores first", tickformat=".0%")
    return figure.update_yaxes(title="profit per customer")


def qini(points: list[tuple[float, float]], title: str) -> Any:
    """What contact brings per customer of all, by the share contacted, beside a random order."""
    import plotly.graph_objects as go

    shares, brought = zip(*points, strict=True)
    figure = go.Figure(layout={**_LAYOUT, "title": title})
    figure.add_scatter(x=[0, 1], y=[0, brought[-1]], mode="lines", line={"color": _GREY, "dash": "dot"})
    figure.add_scatter(x=shares, y=brought, mode="lines", line={"color": _OURS, "width": 3})
    figure.update_xaxes(title="share of customers, highest uplift first", tickformat=".0%")
    return figure.update_yaxes(title="brought by contact, per customer")


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


def choice(counts: list[int], explains: list[float], stabilities: list[float]) -> Any:
    """What each number of segments explains of later days, and how stable it is."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={**_LAYOUT, "title": "segments: how many", "showlegend": True})
    figure.add_scatter(x=counts, y=explains, mode="lines+markers", name="explained", line={"color": _OURS})
    figure.add_scatter(x=counts, y=stabilities, mode="lines+markers", name="stability", line={"color": _GREY})
    figure.update_xaxes(title="number of segments", dtick=1)
    return figure.update_yaxes(rangemode="tozero")


def explained(blocks: Mapping[str, Mapping[str, Any]], groups: Mapping[str, int]) -> Any:
    """What the segments and other groups explain of the future, with intervals; the number of groups beside each."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={**_LAYOUT, "title": "segments: how much of the future they tell apart"})
    figure.update_layout(showlegend=True, barmode="group")
    for (name, block), colour in zip(blocks.items(), (_OURS, _GREY, _LIGHT), strict=True):
        told = {metric: found for metric, found in block.items() if metric.endswith("_explained")}
        value, low, high = ([found[end] or 0.0 for found in told.values()] for end in ("value", "low", "high"))
        reach = {
            "type": "data",
            "symmetric": False,
            "array": [h - v for h, v in zip(high, value, strict=True)],
            "arrayminus": [v - w for v, w in zip(value, low, strict=True)],
        }
        label = f"{name} ({groups[name]})"
        figure.add_bar(x=[m.removesuffix("_explained") for m in told], y=value, name=label, marker_color=colour)
        figure.data[-1].error_y = reach
    return figure.update_yaxes(title="share of the variance explained", tickformat=".0%")


def sizes(drift: Mapping[str, Any]) -> Any:
    """How large each segment was on each day."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={**_LAYOUT, "width": 900, "title": "segments: their size over time", "showlegend": True})
    for number, name in enumerate(drift["segments"]):
        parts = [day[number] for day in drift["share"]]
        figure.add_scatter(x=drift["days"], y=parts, name=name, mode="lines", stackgroup="all")
    return figure.update_yaxes(title="share of the customers", tickformat=".0%", range=[0, 1])


def moves(drift: Mapping[str, Any]) -> Any:
    """Where the customers of each segment were on the last day: each row adds up to one."""
    import plotly.graph_objects as go

    parts = [[count / max(1, sum(row)) for count in row] for row in drift["moves"]]
    named = [f"{number + 1}. {name}" for number, name in enumerate(drift["segments"])]
    layout = {**_LAYOUT, "width": 900, "height": 560, "margin": {"l": 360}}
    figure = go.Figure(layout={**layout, "title": f"segments: who moved, {drift['days'][-2]} to {drift['days'][-1]}"})
    figure.add_heatmap(
        z=parts,
        x=[str(number + 1) for number in range(len(named))],
        y=named,
        text=[[f"{part:.0%}" for part in row] for row in parts],
        texttemplate="%{text}",
        colorscale=[[0, "#ffffff"], [1, _OURS]],
        showscale=False,
    )
    figure.update_xaxes(title="segment on the later day", type="category")
    return figure.update_yaxes(autorange="reversed")
