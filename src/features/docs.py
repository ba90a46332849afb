"""The page that lists all features, made from what the families say of themselves."""

from __future__ import annotations

from .table import families

HEAD = """# Features

Every feature is a function of one customer's rows before the snapshot, computed by the same expressions in training, in
batch scoring and in the endpoint, on DuckDB and on Spark. This page is made from the families in `src/features/`
(`python -m custid.features.docs > docs/features.md`); a test compares the two.

- A row is seen when it happened before the snapshot (a midnight, UTC) and, where the columns are there, had arrived
  (`ingested_at`) and was valid (`valid_from`) by then. An order that goes on after the snapshot is cut at it.
- Everyone with a purchase, or an open subscription, before the snapshot has a row. A purchase is an order whose lines
  sum to more than 0; it counts on the day (UTC) of its first line. Returns count in net spend, on their own day.
- A count of nothing is 0; what is not known is empty. Money is in currency units, times in days.
- Sums, means and deviations are taken in whole numbers, so they do not depend on the order of rows, the threads or the
  engine.
"""


def render() -> str:
    """The text of ``docs/features.md``.

    Examples
    --------
    >>> render().splitlines()[0]
    '# Features'
    """
    parts = [HEAD]
    for family in families():
        needs = ", ".join(f"`{name}`" for name in sorted(family.needs)) or "nothing but a customer"
        rows = "".join(f"| `{f.name}` | {f.about} | {f.unit} | {f.kind} |\n" for f in family.features)
        parts.append(
            f"\n## {family.name}\n\n{family.about}\n\nNeeds {needs}.\n\n"
            f"| feature | what it is | unit | kind |\n|---|---|---|---|\n{rows}"
        )
    return "".join(parts)


if __name__ == "__main__":
    print(render(), end="")
