"""Maximum likelihood, the same for all: log-parameters, several fixed starts, gradients, and a word on how it went."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from ...errors import InputError, TooFewCustomersError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from .histories import FloatArray, Histories

    Objective = Callable[[FloatArray], tuple[float, FloatArray]]

BOUND = float(np.log(1e6))  # of a log-parameter, once time and money are counted in their means
FEWEST_REPEATERS = 5
TIMES = {"alpha", "beta"}
_GRADIENT = 1e-6  # converged: no log-parameter moves the log-likelihood per customer by more
_POLISHED = 1e-10
_ROUGH = 10_000  # distinct histories that are enough to choose among the starts
_NEAR = float(np.log(10.0))  # this near to its bound a parameter is as good as there


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How a fit went.

    Attributes:
        converged: the gradient is zero to 1e-6, or points out of the bounds.
        gradient_norm: its largest entry, per customer and log-parameter.
        starts: starting points tried.
        at_bound: parameters at their bound or within a factor of 10: the data do not tell them from 0 or infinity.
        log_likelihood: of the data in the caller's unit, without the penalty.
        customers: those who were fitted.
        penalty: what was asked for.
    """

    converged: bool
    gradient_norm: float
    starts: int
    at_bound: tuple[str, ...]
    log_likelihood: float
    customers: float
    penalty: float

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The same diagnostics from what ``dataclasses.asdict`` gave, a trip through JSON included."""
        return cls(**{**saved, "at_bound": tuple(saved["at_bound"])})


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended: log-parameters, the likelihood per customer there, and what to say about it."""

    theta: FloatArray
    likelihood: float
    gradient_norm: float
    starts: int
    stuck: NDArray[np.bool_]

    def diagnose(self, names: Sequence[str], log_likelihood: float, customers: float, penalty: float) -> Diagnostics:
        """What the caller is told."""
        return Diagnostics(
            converged=bool(self.gradient_norm < _GRADIENT),
            gradient_norm=self.gradient_norm,
            starts=self.starts,
            at_bound=tuple(name for name, stuck in zip(names, self.stuck, strict=True) if stuck),
            log_likelihood=log_likelihood,
            customers=customers,
            penalty=penalty,
        )


@dataclass(frozen=True, slots=True)
class _Problem:
    """A loss to make small within bounds."""

    likelihood: Objective
    centre: FloatArray
    penalty: float
    lowest: FloatArray

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        value, slope = self.likelihood(theta)
        off = theta - self.centre
        return 0.5 * self.penalty * float(off @ off) - value, self.penalty * off - slope

    def pushed(self, theta: FloatArray, slope: FloatArray) -> NDArray[np.bool_]:
        """Which log-parameters lie at a bound and would go further."""
        return ((theta >= BOUND) & (slope < 0)) | ((theta <= self.lowest) & (slope > 0))

    def norm(self, theta: FloatArray, slope: FloatArray) -> float:
        """The largest entry of the gradient, less what points out of the bounds."""
        return float(np.abs(np.where(self.pushed(theta, slope), 0.0, slope)).max())


def maximise(
    likelihood: Objective,
    starts: FloatArray,
    centre: FloatArray,
    penalty: float,
    lowest: FloatArray | None = None,
    rough: Objective | None = None,
) -> Optimum:
    """The best log-parameters from several starts.

    Args:
        likelihood: mean log-likelihood per customer and its gradient, as functions of the log-parameters.
        starts: starting points, shape (k, d); each is followed roughly, the best one to the end.
        centre: where the penalty pulls to, shape (d,).
        penalty: its strength per customer; half of it times the squared distance to ``centre`` is subtracted.
        lowest: lower bounds of the log-parameters, -BOUND where not given.
        rough: a cheaper likelihood for the first, rough part; the same one where not given.

    Bounded quasi-Newton steps (L-BFGS-B), then Newton steps on the gradient until it is zero to 1e-10.
    """
    from scipy.optimize import minimize  # late: it is slow to load, and a fitted model does not need it
    from threadpoolctl import threadpool_limits

    least = np.full(centre.size, -BOUND) if lowest is None else lowest
    problem = _Problem(likelihood, centre, penalty, least)
    sketch = _Problem(rough or likelihood, centre, penalty, least)
    bounds = [(low, BOUND) for low in problem.lowest]

    def follow(loss: _Problem, theta: FloatArray, tolerance: float, steps: int) -> tuple[float, FloatArray]:
        options = {"ftol": tolerance, "gtol": _POLISHED, "maxiter": steps, "maxcor": 20}
        found = minimize(loss, theta, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        return float(found.fun), np.asarray(found.x, dtype=np.float64)

    with threadpool_limits(1):  # threads of the linear algebra cost more than its few numbers
        ends = [follow(sketch, start, 1e-5, 30) for start in starts]
        best = min(ends, key=lambda found: found[0])[1]
        theta = _newton(problem, follow(problem, best, 1e-14, 500)[1])
    value, slope = likelihood(theta)
    norm = problem.norm(theta, penalty * (theta - centre) - slope)
    stuck = (theta > BOUND - _NEAR) | (theta < problem.lowest + 1e-6) | (theta < _NEAR - BOUND)
    return Optimum(theta, value, norm, len(starts), stuck)


def check_fit(title: str, repeaters: float, penalty: float) -> None:
    """Refuse what no model of repeat purchases can be fitted on."""
    if not (np.isfinite(penalty) and penalty >= 0):
        message = f"The penalty of {title} is {penalty!r}; expected a number of at least 0."
        raise InputError(message)
    if repeaters < FEWEST_REPEATERS:
        message = f"{title} needs at least {FEWEST_REPEATERS} customers who bought again; there are {repeaters:g}."
        raise TooFewCustomersError(message)


def fit_histories(
    title: str,
    names: Sequence[str],
    starts: FloatArray,
    likelihood: Callable[[Histories], Objective],
    histories: Histories,
    penalty: float,
) -> tuple[dict[str, float], Diagnostics]:
    """Parameters of a transaction model by name, with time counted in mean ages, the penalty's centre the first start.

    Parameters whose name is a time's (alpha, beta) come back in the caller's unit.
    """
    data = histories.distinct()
    n = data.customers
    check_fit(title, data.repeaters, penalty)
    mean_age = float(data.weights @ data.age) / n
    if mean_age <= 0:
        message = f"{title} needs customers who were seen for some time; every age is 0."
        raise InputError(message)
    scaled = data.scaled(mean_age)
    rough = likelihood(scaled.thinned(_ROUGH))
    optimum = maximise(likelihood(scaled), starts, starts[0], penalty / n, rough=rough)
    found = dict(zip(names, map(float, np.exp(optimum.theta)), strict=True))
    for name in TIMES & found.keys():
        found[name] *= mean_age
    total = optimum.likelihood * n - float(data.weights @ data.frequency) * float(np.log(mean_age))
    return found, optimum.diagnose(names, total, n, penalty)


class Saved:
    """A fitted dataclass that goes to plain values and back, exactly, a trip through JSON included."""

    __slots__ = ()
    kind: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON keeps exactly."""
        return {"model": self.kind, **asdict(cast("Any", self))}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The fitted model that :meth:`to_dict` described.

        Raises InputError where it described another model, or less or more than one.
        """
        values = dict(saved)
        if values.pop("model", None) != cls.kind:
            message = f"The saved model is {saved.get('model')!r}; expected {cls.kind!r}."
            raise InputError(message)
        try:
            return cls(**{**values, "diagnostics": Diagnostics.from_dict(values["diagnostics"])})
        except (KeyError, TypeError) as error:
            message = f"The saved {cls.kind} model has the keys {sorted(values)}; expected those of to_dict."
            raise InputError(message) from error


def _newton(problem: _Problem, theta: FloatArray) -> FloatArray:
    """The point nearest to a zero gradient on a few Newton steps, the curvature by differences of the gradient."""
    slope = problem(theta)[1]
    best, least = theta, problem.norm(theta, slope)
    for _ in range(8):
        if least < _POLISHED:
            break
        free = ~problem.pushed(theta, slope)
        ahead = np.stack([problem(theta + 1e-6 * axis)[1] for axis in np.eye(theta.size)[free]])
        curvature = (ahead - slope)[:, free] / 1e-6
        values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
        steep = np.abs(values) > 1e-8  # along a ridge there is nothing to gain
        along = (vectors.T @ slope[free])[steep] / np.abs(values[steep])
        step = np.zeros_like(theta)
        step[free] = -vectors[:, steep] @ np.clip(along, -1.0, 1.0)
        theta = np.clip(theta + step, problem.lowest, BOUND)
        slope = problem(theta)[1]
        if problem.norm(theta, slope) < least:
            best, least = theta, problem.norm(theta, slope)
    return best
