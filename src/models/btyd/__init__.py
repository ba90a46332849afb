"""Buy-till-you-die models: who is still a customer, how often they will buy, and what a purchase will bring.

Takes the counts of each customer up to one moment (:class:`Histories`: frequency, recency, age; for spend the mean
value per purchase) and gives fitted models, small frozen dataclasses that go to JSON and back exactly and predict for
any customer. Time may have any unit, the same one for histories, horizons and parameters. It never counts
transactions, reads files, warns or draws random numbers: the same rows in any order give the same fit.

=================  ============================================  ==========================================
model              a customer leaves                             when to use it
=================  ============================================  ==========================================
:class:`BgNbd`     after a repeat purchase                       quick baseline; not its ``p_alive``
:class:`MbgNbd`    after any purchase, the first one included    as quick, and one-time buyers may be gone
:class:`ParetoNbd` at any moment                                 the best of the three on one-time buyers
=================  ============================================  ==========================================

All three follow :class:`TransactionModel` and are listed in :data:`TRANSACTION_MODELS`. :class:`GammaGamma` models the
spend per purchase; expected purchases times expected spend is the expected value in the horizon. Rates are constant in
the time of a :class:`Clock`, which the customers' own days of buying (a :class:`Diary`) set: season and the state of
the business are in it.
"""

from __future__ import annotations

from .bgnbd import BgNbd
from .clock import Clock, Diary
from .fitting import Diagnostics
from .gammagamma import GammaGamma
from .histories import Histories
from .mbgnbd import MbgNbd
from .paretonbd import ParetoNbd
from .protocol import TRANSACTION_MODELS, TransactionModel

__all__ = [
    "TRANSACTION_MODELS",
    "BgNbd",
    "Clock",
    "Diagnostics",
    "Diary",
    "GammaGamma",
    "Histories",
    "MbgNbd",
    "ParetoNbd",
    "TransactionModel",
]
