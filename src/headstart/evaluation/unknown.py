"""Whether an input is like what the model knows: scores that agree on one share, 0 to 1, higher stranger.

Up to three scores are asked, each of which sees what the others miss: the probabilities (GEN, or joint energy
for several labels), the distance to the nearest known inputs (k-NN) and, for classes, the relative Mahalanobis
distance. Each becomes its rank among held-out known inputs; the ranks are combined, and what comes out is ranked
once more. So 0.97 means: stranger than 97 % of the known inputs that were held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from headstart.errors import BundleError, SettingError
from headstart.evaluation.unknown_distance import Discriminants, fit_axes, relative_mahalanobis
from headstart.evaluation.unknown_scores import gen, joint_energy, knn, max_softmax, share_below, together

#: Score above which an input is called unknown: 95 % of held-out known inputs are below it.
THRESHOLD = 0.95
MOST_REFERENCE = 2_000  # rows kept
_MOST_BYTES = 6_000_000  # of the rows kept, in float16
_MOST_HELD = 5_000  # held-out rows that shares are told from
_PLAIN = "plain"  # the greatest probability alone, where that was shown to be better than all together
_SCORES = ("probabilities", "neighbours", "classes", _PLAIN)


@dataclass(frozen=True)
class Known:
    """What the model knows, to compare new inputs with.

    Attributes:
        task: "classification", "multilabel" or "regression".
        rows: [m, d] float16, training rows at length one; [0, 0] where there are no features.
        lengths: [m] float32, their lengths.
        y: [m] classes (classification), else [m, outputs].
        axes: where the relative Mahalanobis distance is told, or None.
        held: score -> its values on held-out known inputs, ascending float32; "all" for all together.
    """

    task: str
    rows: np.ndarray
    lengths: np.ndarray
    y: np.ndarray
    axes: Discriminants | None
    held: dict[str, np.ndarray]

    @property
    def vectors(self) -> np.ndarray:
        """The reference rows as they were, [m, d] float32."""
        found: np.ndarray = self.rows.astype(np.float32) * self.lengths[:, None]
        return found

    @property
    def method(self) -> str:
        """The scores asked, in words; "" where there are none."""
        named = {
            "probabilities": "joint energy" if self.task == "multilabel" else "GEN",
            "neighbours": "k-NN",
            "classes": "relative Mahalanobis",
            _PLAIN: "greatest probability",
        }
        return " + ".join(named[name] for name in _SCORES if name in self.held)

    def to_tensors(self) -> dict[str, np.ndarray]:
        """Named arrays for a safetensors file; the task is in the names of the scores held."""
        found = {f"held.{name}": values for name, values in self.held.items()}
        found |= {f"{self.task}.y": self.y, "rows": self.rows, "lengths": self.lengths}
        if self.axes is not None:
            found |= {f"axes.{name}": np.ascontiguousarray(v, np.float32) for name, v in vars(self.axes).items()}
        return found

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> Known:
        """What `to_tensors` gave.

        Raises:
            BundleError: an array is missing.
        """
        try:
            task, y = next((key.removesuffix(".y"), v) for key, v in tensors.items() if key.endswith(".y"))
            parts = {key.removeprefix("axes."): v for key, v in tensors.items() if key.startswith("axes.")}
            axes = Discriminants(**parts) if parts else None
            held = {key.removeprefix("held."): v for key, v in tensors.items() if key.startswith("held.")}
            return cls(task, tensors["rows"], tensors["lengths"], y, axes, held)
        except (KeyError, StopIteration, TypeError) as error:
            raise BundleError(f"what the model knows is not complete ({error}); fit the model again.") from error


def fit_known(
    vectors: np.ndarray | None,
    y: np.ndarray | None,
    held_probabilities: np.ndarray,
    held_vectors: np.ndarray | None,
    seed: int = 0,
    *,
    task: str = "classification",
) -> Known:
    """What is known from training rows ``vectors`` [n, d], ``y`` ([n] classes, else [n, outputs]).

    Args:
        vectors: the features of training, or None where the model has none.
        y: their targets.
        held_probabilities: [h, outputs] of rows that the answering head did not learn from, as the model handed
            over gives them (its temperature included); values for regression, which are not looked at.
        held_vectors: their features [h, d]. Rows that are among ``vectors`` too (out-of-fold answers) are
            scored without themselves.
        seed: of the sample that is kept.
        task: "classification", "multilabel" or "regression" (which is judged by its features alone).

    Raises:
        SettingError: no held-out rows, values that are not finite, or shapes that do not fit.
    """
    p = _answers(held_probabilities, task)
    if vectors is None or held_vectors is None:
        _check(p, None)
        held = _picked(len(p), _MOST_HELD, seed)
        nothing = np.zeros((0, 0), np.float16), np.zeros(0, np.float32), np.zeros(0, np.int64)
        return _with_shares(Known(task, *nothing, None, {}), p[held], {})
    x, held_x = np.asarray(vectors, np.float32), np.asarray(held_vectors, np.float32)
    _check(p, held_x)
    _check(None, x)
    targets = np.zeros((len(x), 1)) if y is None else np.asarray(y)
    held = _picked(len(p), _MOST_HELD, seed)
    kept = reference_rows(len(x), x.shape[1], seed)
    lengths = np.linalg.norm(x[kept], axis=1)
    rows = (x[kept] / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float16)
    inside = _inside(held_x[held], x)
    found = {"neighbours": knn(held_x[held], rows, skip=inside >= 0)}
    axes = None
    if task == "classification" and y is not None and len(np.unique(targets)) > 1:
        axes, found["classes"] = fit_axes(x, targets, held_x[held], inside, seed)
    return _with_shares(Known(task, rows, lengths, targets[kept], axes, {}), p[held], found)


def reference_rows(n: int, width: int, seed: int = 0) -> np.ndarray:
    """Which of ``n`` rows of features so wide `fit_known` keeps, [m] ascending."""
    return _picked(n, min(MOST_REFERENCE, _MOST_BYTES // (2 * width)), seed + 1)


def plainly(known: Known, held_probabilities: np.ndarray) -> Known:
    """``known`` so that the greatest probability alone tells strange inputs; its rows stay, for what else needs them.

    Args:
        held_probabilities: [h, classes], as for `fit_known`.
    """
    values = np.sort(max_softmax(_answers(held_probabilities, known.task))).astype(np.float32)
    held = {_PLAIN: values}
    return replace(known, axes=None, held={**held, "all": np.sort(together(held, held)).astype(np.float32)})


def unknown_scores(known: Known, probabilities: np.ndarray, vectors: np.ndarray | None) -> np.ndarray:
    """How strange inputs are, [n] in 0..1: the share of held-out known inputs that are less strange.

    ``probabilities`` [n, outputs] come from the head handed over, ``vectors`` [n, d] from its base (None for
    models without). Beyond the strangest held-out input scores go on rising towards 1 without reaching it.
    nan where the model has no score (regression without features) and for rows that are nan.

    Raises:
        SettingError: features are missing or of another width.
    """
    p = _answers(probabilities, known.task)
    width = known.rows.shape[1]
    if width and (vectors is None or np.ndim(vectors) != 2 or np.shape(vectors)[1] != width):
        came = "none" if vectors is None else f"shape {np.shape(vectors)}"
        raise SettingError(f"features came with {came}; what the model knows takes [n, {width}].")
    x = np.zeros((len(p), 0), np.float32) if vectors is None or not width else np.asarray(vectors, np.float32)
    usable = np.isfinite(p).all(axis=1) & np.isfinite(x).all(axis=1)
    out = np.full(len(p), np.nan)
    if known.held and usable.any():
        scores = separate_scores(known, p[usable], x[usable])
        out[usable] = share_below(known.held["all"], together(known.held, scores))
    return out


def separate_scores(known: Known, p: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
    """Each score that `unknown_scores` puts together, on its own scale: name -> [n], higher stranger.

    ``p`` [n, outputs] and ``x`` [n, d] (d = 0 where there are no features) are finite.
    """
    if _PLAIN in known.held:
        return {_PLAIN: max_softmax(p)}
    features = {}
    if known.rows.shape[1]:
        features["neighbours"] = knn(x, known.rows)
    if known.axes is not None:
        features["classes"] = relative_mahalanobis(x, known.axes)
    return _all_scores(known.task, p, features)


def _all_scores(task: str, p: np.ndarray, features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those of the ``features``, and that of the probabilities first."""
    if task == "regression":
        return features
    return {"probabilities": gen(p) if task == "classification" else joint_energy(p), **features}


def _with_shares(known: Known, p: np.ndarray, features: dict[str, np.ndarray]) -> Known:
    """``known`` with the scores of held-out inputs."""
    scores = _all_scores(known.task, p, features)
    if not scores:
        return known
    held = {name: np.sort(values).astype(np.float32) for name, values in scores.items()}
    held["all"] = np.sort(together(held, scores)).astype(np.float32)
    return Known(known.task, known.rows, known.lengths, known.y, known.axes, held)


def _inside(held: np.ndarray, x: np.ndarray) -> np.ndarray:
    """[h] the row of ``x`` that each row of ``held`` equals, −1 where none does."""
    where = {hash(row.tobytes()): i for i, row in enumerate(x)}
    found = np.array([where.get(hash(row.tobytes()), -1) for row in held], dtype=np.int64)
    return np.where((x[found] == held).all(axis=1), found, -1)


def _picked(n: int, most: int, seed: int) -> np.ndarray:
    """At most ``most`` of ``n`` rows, in order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _answers(p: np.ndarray, task: str) -> np.ndarray:
    """Probabilities in float32; the values of a regression may not fit into it."""
    return np.asarray(p, dtype=np.float64 if task == "regression" else np.float32)


def _check(p: np.ndarray | None, x: np.ndarray | None) -> None:
    for name, values in (("held-out probabilities", p), ("features", x)):
        if values is None:
            continue
        if values.ndim != 2 or not len(values):
            raise SettingError(f"{name} have shape {values.shape}; known inputs must be [rows, columns].")
        if not np.isfinite(values).all():
            raise SettingError(f"{name} hold values that are not finite; leave those rows out.")
    if p is not None and x is not None and len(p) != len(x):
        raise SettingError(f"{len(p)} held-out probabilities came with {len(x)} rows of features; give one for each.")
