"""N-LEEP: LEEP on the clusters of the features, so that a base needs no classifier of its own."""

from __future__ import annotations

import warnings

import numpy as np

from headstart.heads.rotation import rotate
from headstart.heads.threads import for_size
from headstart.ranking.problem import problem
from headstart.tasks import get

_ENERGY = 0.8  # share of the variance that the kept principal axes hold
_AXES = 128  # most of them
_PER_CLASS = 5  # components a class
_ROWS = 4  # rows a component at least has on the mean
_FLOOR = 1e-3  # least variance of a component, as a share of the mean variance of an axis
_STEPS = 50  # most steps of expectation-maximisation


def n_leep(features: np.ndarray, y: np.ndarray, *, seed: int = 0) -> float:
    """LEEP of the posterior of a Gaussian mixture fitted to the features; at most 0, higher is better.

    Li et al. 2021 ("Ranking neural checkpoints", arXiv:2011.11200): the features are projected to the principal axes
    that hold 80 % of their variance, a mixture of five Gaussians a class is fitted there without the labels, and its
    posterior p(z | x) takes the place of a source model's answers in `leep`. Kept small here: at most 128 axes, no
    more components than a quarter of the rows, and Gaussians with axes along the principal ones (diagonal
    covariances), of which a few rows suffice to fit one. Turning, scaling as a whole and moving the features changes
    nothing but rounding.

    Args:
        features: [n, d].
        y: [n] int classes.
        seed: of the mixture's start.

    Returns:
        nan where it is undefined: all features the same, fewer than two classes, or targets that are no classes.

    Raises:
        SettingError: shapes or values that do not fit.
    """
    given = problem(features, y)
    if not get(given.task).exclusive or not given.defined:
        return float("nan")
    components = max(1, min(_PER_CLASS * len(np.unique(given.y)), len(given.y) // _ROWS))
    with for_size((len(given.y), _AXES), components):
        return leep(_posterior(_reduced(given.x), components, seed), given.y)


def leep(p: np.ndarray, y: np.ndarray) -> float:
    """Log expected empirical prediction of ``y`` [n] by what a source model says, ``p`` [n, sources]; at most 0.

    Nguyen et al. 2020 (arXiv:2002.12462): with the empirical joint P(y, z) = 1/n Σ_i: y_i = y p_iz,

        LEEP = 1/n Σ_i log Σ_z P(y_i | z) p_iz

    Each row of ``p`` sums to 1.
    """
    joint = np.zeros((int(y.max()) + 1, p.shape[1]))
    np.add.at(joint, y, p)
    mass = joint.sum(axis=0)
    given_source = joint / np.where(mass > 0, mass, 1)  # P(y | z)
    expected = (given_source[y] * p).sum(axis=1)
    return float(np.log(np.maximum(expected, np.finfo(float).tiny)).mean())


def _reduced(x: np.ndarray) -> np.ndarray:
    """[n, axes] float64: the principal axes with 80 % of the variance, the mean variance of one being 1."""
    rotation = rotate(x)
    share = np.cumsum(rotation.power) / rotation.power.sum()
    axes = min(int(np.searchsorted(share, _ENERGY)) + 1, _AXES)
    rows = rotation.rows[:, :axes].astype(np.float64)
    return rows / rows.var(axis=0).mean() ** 0.5


def _posterior(rows: np.ndarray, components: int, seed: int) -> np.ndarray:
    """[n, components]: p(z | x) of the fitted mixture."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(
        components, covariance_type="diag", reg_covar=_FLOOR, max_iter=_STEPS, random_state=seed, init_params="kmeans"
    )
    with warnings.catch_warnings():
        # Fewer different rows than components, or steps that ran out: the posterior serves as it is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(rows).predict_proba(rows)
