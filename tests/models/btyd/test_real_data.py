"""Whole real data sets, short histories among them: every fit converges and nothing warns (a warning is an error)."""

from __future__ import annotations

import numpy as np
import pytest

from custid.models.btyd import TRANSACTION_MODELS, GammaGamma

EACH = pytest.mark.parametrize("kind", TRANSACTION_MODELS)


def check(kind, counts) -> None:
    h = counts.histories
    for penalty in (0.0, 1.0):
        model = TRANSACTION_MODELS[kind].fit(h, penalty=penalty)
        assert model.diagnostics.converged, model
        alive, within = model.p_alive(h), model.p_purchase_within(h, 180.0)
        expected = model.expected_purchases(h, 180.0)
        assert ((alive >= 0) & (alive <= 1)).all()
        assert ((within >= 0) & (within <= alive + 1e-12)).all()
        assert (within <= expected * (1 + 1e-9)).all()
        assert np.isfinite(expected).all()
    spend = GammaGamma.fit(h.frequency, counts.value)
    assert spend.diagnostics.converged, spend
    assert (spend.expected_spend(h.frequency, counts.value) > 0).all()


@EACH
@pytest.mark.parametrize("as_of", ["2009-12-15", "2010-01-15", "2010-06-01", "2011-03-02", "2011-06-10", "2011-12-10"])
def test_online_retail(online_retail, counting, kind, as_of):
    check(kind, counting(online_retail, as_of))


@EACH
@pytest.mark.parametrize("as_of", ["1997-02-01", "1997-04-01", "1997-10-01", "1998-01-01"])
def test_cdnow(cdnow, counting, kind, as_of):
    check(kind, counting(cdnow, as_of))
