"""MBG/NBD: as BG/NBD, and one may leave after the very first purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .beta_geometric import BetaGeometric


@dataclass(frozen=True, slots=True)
class MbgNbd(BetaGeometric):
    """The modified beta-geometric / negative binomial model.

    Customers buy at a rate that is Gamma(r, alpha) over customers, and after every purchase, the first one included,
    leave for good with a probability that is Beta(a, b) over customers. Who bought once may therefore have left.

    References: Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base
    analysis, Int. J. of Research in Marketing 24(3); Wagner and Hoppe (2008), Erratum on the MBG/NBD model, same
    journal 25(3).

    >>> from custid.models.btyd import Histories
    >>> seen = Histories.of([0, 0, 0, 1, 1, 2, 4, 7], [0, 0, 0, 4, 20, 9, 30, 37], [39, 38, 30, 36, 39, 33, 38, 39])
    >>> model = MbgNbd.fit(seen, penalty=1.0)
    >>> bool(model.p_alive(seen)[0] < 1)
    True
    """

    kind: ClassVar[str] = "mbg_nbd"
    title: ClassVar[str] = "MBG/NBD"
    first_exit: ClassVar[int] = 1
