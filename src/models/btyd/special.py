"""The three functions that the models need and scipy has not in a stable form: rising factorials for many counts, the
integral of two falling powers, and the purchases of a customer who may stop after each one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .histories import FloatArray

_NEGLIGIBLE = 45.0  # e ** -45 of the peak
_GAUSS = np.polynomial.legendre.leggauss(48)
_TRAPEZOID_NODES = 192
_BLOCK = 8_192  # rows at a time, so that the quadrature of a million customers needs no more than 100 MB


def rising(base: float, counts: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Log of Gamma(base + n) / Gamma(base), and its derivative by ``base``, for whole n >= 0.

    Sums of logarithms: no cancellation, however large ``base`` is.

    >>> [round(float(v), 12) for v in np.exp(rising(2.0, np.array([0, 1, 3]))[0])]
    [1.0, 2.0, 24.0]
    """
    factors = base + np.arange(int(counts.max(initial=0)))
    logs = np.concatenate([[0.0], np.cumsum(np.log(factors))])
    slopes = np.concatenate([[0.0], np.cumsum(1 / factors)])
    return logs[counts], slopes[counts]


class FallingPowers(NamedTuple):
    """The integral of ``(alpha + v) ** -p * (beta + v) ** -q`` over v in [low, high], and means under that density.

    ``log_ratio`` is the logarithm of the integral over the integrand at ``low``: -inf where low = high. The means,
    which gradients need, are those of log(1 + v / alpha), log(1 + v / beta), v / (alpha + v) and v / (beta + v).
    """

    log_ratio: FloatArray
    log_alpha: FloatArray
    log_beta: FloatArray
    part_alpha: FloatArray
    part_beta: FloatArray


def falling_powers(
    low: FloatArray, high: FloatArray, alpha: float, beta: float, p: FloatArray, q: FloatArray
) -> FallingPowers:
    """Evaluate :class:`FallingPowers` for many customers at once; ``alpha``, ``beta`` and ``p`` above 0, ``q`` >= 0.

    Gauss-Legendre in y = log(min(alpha, beta) + v), where the integrand has no singularity nearer than pi i, over the
    part of the interval that is not negligible. It replaces the difference of two Gaussian hypergeometric functions
    (Fader, Hardie and Lee 2005, "A note on deriving the Pareto/NBD model"), which cancels and overflows.
    """
    blocks = [slice(i, i + _BLOCK) for i in range(0, max(low.size, 1), _BLOCK)]
    parts = [_falling_powers(low[b], high[b], alpha, beta, p[b], q[b]) for b in blocks]
    return parts[0] if len(parts) == 1 else FallingPowers(*(np.concatenate(c) for c in zip(*parts, strict=True)))


def _falling_powers(
    low: FloatArray, high: FloatArray, alpha: float, beta: float, p: FloatArray, q: FloatArray
) -> FallingPowers:
    nodes, gauss_weights = _GAUSS
    nearer, a, b = min(alpha, beta) + low, alpha + low, beta + low
    reach = np.minimum(a * np.expm1(np.minimum(_NEGLIGIBLE / p, 300.0)), high - low)
    reach = np.minimum(reach, b * np.expm1(np.minimum(_NEGLIGIBLE / np.maximum(q, 1e-3), 300.0)))
    width = np.log1p(reach / nearer)
    y = width[:, None] * ((nodes + 1) / 2)
    gone = nearer[:, None] * np.expm1(y)  # v - low
    log_a, log_b = np.log1p(gone / a[:, None]), np.log1p(gone / b[:, None])
    density = np.exp(y - p[:, None] * log_a - q[:, None] * log_b) * (gauss_weights / 2)
    total = density.sum(axis=1)
    density /= total[:, None]
    scale = total * width * nearer
    return FallingPowers(
        log_ratio=np.log(scale, out=np.full(scale.shape, -np.inf), where=scale > 0),
        log_alpha=np.log1p(low / alpha) + (density * log_a).sum(axis=1),
        log_beta=np.log1p(low / beta) + (density * log_b).sum(axis=1),
        part_alpha=(density * (low[:, None] + gone) / (a[:, None] + gone)).sum(axis=1),
        part_beta=(density * (low[:, None] + gone) / (b[:, None] + gone)).sum(axis=1),
    )


def purchases_until_dropout(shape: FloatArray, time: FloatArray, a: float, b: FloatArray) -> FloatArray:
    """Mean purchases of a customer who is alive now and after each purchase leaves with probability p.

    The rate is Gamma(shape, 1), the time in the unit of its scale, and p is Beta(a, b): the mean over p of
    ``(1 - (1 + p * time) ** -shape) / p``. It is the bracket with 2F1 of Fader, Hardie and Lee (2005, equation 10)
    over P(alive), with nothing that cancels at a = 1 or overflows for a large frequency.

    Trapezoidal rule in logit(p), stretched by sinh about the peak of the density, so that tails as slow as p ** a end
    within the nodes. One set of nodes serves all rows of equal ``b``.
    """
    distinct, which = np.unique(b, return_inverse=True)
    p, weights = _beta_nodes(a, distinct)
    result = np.empty(shape.size)
    for i in range(0, shape.size, _BLOCK):
        rows = slice(i, i + _BLOCK)
        chance, size = p[which[rows]], shape[rows, None]
        # (1 - (1 + p t) ** -s) / p, as s t where p t vanishes
        bought = -np.expm1(-size * np.log1p(chance * time[rows, None])) / chance
        result[rows] = (weights[which[rows]] * bought).sum(axis=1)
    return result


def _beta_nodes(a: float, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the mean under Beta(a, b), one row for each b."""
    centre = np.log(a / b)
    width = 1 / np.sqrt(1 + a * b / (a + b))
    peak = _log_beta_density(centre, a, b)

    def edge(sign: float) -> FloatArray:
        """Where the density has fallen to nothing, by bisection in the stretched variable."""
        near, far = np.zeros_like(b), np.full_like(b, 40.0)
        for _ in range(40):
            middle = (near + far) / 2
            u = centre + sign * width * np.sinh(middle)
            inside = _log_beta_density(u, a, b) > peak - _NEGLIGIBLE
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        return far

    left, right = -edge(-1.0), edge(1.0)
    tau = left[:, None] + (right - left)[:, None] * np.linspace(0.0, 1.0, _TRAPEZOID_NODES)
    u = centre[:, None] + width[:, None] * np.sinh(tau)
    log_weights = _log_beta_density(u, a, b[:, None]) + np.log(np.cosh(tau)) - peak[:, None]
    weights = np.exp(log_weights)
    p = np.maximum(expit(u), np.finfo(float).tiny)
    return p, weights / weights.sum(axis=1, keepdims=True)


def _log_beta_density(u: FloatArray, a: float, b: FloatArray) -> FloatArray:
    """Of logit(p) under Beta(a, b), without its constant."""
    return -a * np.logaddexp(0.0, -u) - b * np.logaddexp(0.0, u)
