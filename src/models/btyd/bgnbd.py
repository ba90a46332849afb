"""BG/NBD: buying as a Poisson process, leaving after a repeat purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .beta_geometric import BetaGeometric


@dataclass(frozen=True, slots=True)
class BgNbd(BetaGeometric):
    """The beta-geometric / negative binomial model.

    Customers buy at a rate that is Gamma(r, alpha) over customers, and after each repeat purchase leave for good with a
    probability that is Beta(a, b) over customers.

    **One who bought once is alive with probability 1**, however long ago that was, since nobody can leave before a
    repeat purchase. Do not use ``p_alive`` for lifecycle or churn; ``p_purchase_within`` is usable, and
    :class:`~custid.models.btyd.MbgNbd` and :class:`~custid.models.btyd.ParetoNbd` have no such gap.

    Reference: Fader, Hardie and Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2).

    >>> from custid.models.btyd import Histories
    >>> seen = Histories.of([0, 0, 0, 1, 1, 2, 4, 7], [0, 0, 0, 4, 20, 9, 30, 37], [39, 38, 30, 36, 39, 33, 38, 39])
    >>> model = BgNbd.fit(seen, penalty=1.0)
    >>> model.diagnostics.converged
    True
    >>> bool(model.p_purchase_within(seen, 13)[7] > model.p_purchase_within(seen, 13)[3])
    True
    """

    kind: ClassVar[str] = "bg_nbd"
    title: ClassVar[str] = "BG/NBD"
    first_exit: ClassVar[int] = 0
