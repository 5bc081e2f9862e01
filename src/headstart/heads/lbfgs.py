"""L-BFGS for smooth convex functions of a matrix (Nocedal and Wright 2006, algorithms 3.1 and 7.4).

Own code for a measured reason: scipy's carries a second BLAS, whose threads wait on the cores that numpy's
threads need between two evaluations; the same fit took four times as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

#: Pairs of steps and gradient changes remembered.
MEMORY = 10
#: Share of the linear prediction by which a step must lower the value.
ENOUGH = 1e-4
#: Relative error of a value summed from float32 scores.
ROUNDING = 1e-6

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def minimise(function: Function, start: np.ndarray, *, tolerance: float, most: int = 300) -> np.ndarray:
    """The minimiser of ``function`` (x -> value and gradient) from ``start``, in at most ``most`` steps.

    Ends when the next step is expected to lower the value by less than ``tolerance``.
    """
    x = start
    value, gradient = function(x)
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=MEMORY)
    for _ in range(most):
        direction = _direction(gradient, pairs)
        slope = _dot(gradient, direction)
        if -slope < 2 * tolerance:
            break
        step = 1.0
        new, (new_value, new_gradient) = x + direction, function(x + direction)
        while new_value > value + ENOUGH * step * slope + ROUNDING * abs(value) and step > 1e-6:
            step = _shorter(step, slope, new_value - value)
            new = x + step * direction
            new_value, new_gradient = function(new)
        change = new_gradient - gradient
        curvature = _dot(new - x, change)
        if curvature > 0:
            pairs.append((new - x, change, curvature))
        x, value, gradient = new, new_value, new_gradient
    return x


def _direction(gradient: np.ndarray, pairs: deque[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """Minus the approximate inverse Hessian times ``gradient``: the two-loop recursion."""
    direction = -gradient
    shares = []
    for step, change, curvature in reversed(pairs):
        share = _dot(step, direction) / curvature
        direction -= share * change
        shares.append(share)
    if pairs:
        _, change, curvature = pairs[-1]
        direction *= curvature / _dot(change, change)
    for (step, change, curvature), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - _dot(change, direction) / curvature) * step
    return direction


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Inner product without BLAS, whose threads cost more to wake than so little work saves."""
    return float(np.einsum("ij,ij->", a, b))


def _shorter(step: float, slope: float, rise: float) -> float:
    """The minimiser of the parabola through what is known, kept within a tenth and a half of ``step``."""
    parabola = -slope * step**2 / (2 * max(rise - slope * step, 1e-300))
    return min(max(parabola, 0.1 * step), 0.5 * step)
