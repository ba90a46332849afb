"""How a run shows itself: a line that moves in a terminal, nothing but the outcome elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .workspace import Note

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress(title: str) -> Iterator[Note]:
    """Show what is being done while the block runs, in a terminal only.

    Yields a function that takes short texts, such as ``churn: trial 7 of 25``.
    """
    if not err.is_terminal:
        yield lambda _: None
        return
    start = time.monotonic()
    with err.status(escape(title), spinner="dots") as status:
        yield lambda text: status.update(f"[bold]{escape(title)}[/] {escape(text)} [dim]{_clock(start)}[/]")
    err.print(f"[green]✓[/] {escape(title)} [dim]{_clock(start)}[/]")


def _clock(start: float) -> str:
    seconds = int(time.monotonic() - start)
    return f"{seconds // 60}:{seconds % 60:02d}"


def say(text: str) -> None:
    """One line of the outcome."""
    out.print(escape(text))


def complain(text: str) -> None:
    """One message about what went wrong."""
    err.print(f"[red]Error:[/] {escape(text)}")


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; columns of numbers are set to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for i, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        table.add_column(escape(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(
            *(f"{v:,.3f}" if isinstance(v, float) else f"{v:,}" if isinstance(v, int) else escape(str(v)) for v in row)
        )
    out.print(table)
