"""The control for texts: TF-IDF of words and characters with a linear model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from headstart.controls.control import Control, ControlState
from headstart.controls.text_features import TextFeatures
from headstart.heads.target_scale import TargetScale
from headstart.tasks import get

_STRENGTHS = (1.0, 5.0, 30.0)  # inverse regularisation C, per row of length 1
_DEFAULT = 5.0  # where there are too few rows to tell
_FEWEST, _MOST = 50, 3_000  # rows to choose the strength by
_TIMED = 3  # rounds that are timed
_UPDATES = 20_000  # gradient steps; below 4,000 rows that is more than five rounds
_ENOUGH = 200_000  # steps after which more make it no better: above 40,000 rows less than five rounds


class TextLinear(Control):
    """One-against-rest logistic regression by stochastic gradient, or ridge regression.

    The strength of the regularisation is chosen by a held-out fifth of the training rows.
    """

    name = "TF-IDF + linear"

    def fit(
        self,
        inputs: Sequence[Any] | np.ndarray,
        y: np.ndarray,
        task: str,
        seed: int,
        seconds: float | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Learn from n texts."""
        start = time.perf_counter()
        self._features = TextFeatures(self.outputs)
        x = self._features.fit(inputs)
        scale = TargetScale.of(y, task)
        y = scale.standardised(y)  # scikit-learn's ridge takes targets in the type of the features, float32
        self._task, self.strength = task, _DEFAULT
        if seconds is not None and get(task).graded:
            import sklearn.linear_model  # noqa: F401  its import is no part of a round

            if self._fit_within(x, y, weights, seed, seconds - (time.perf_counter() - start)):
                return
        self.strength = self._chosen(x, y, weights, task, seed)
        self._models = _fitted(x, y, task, self.strength, seed, weights=weights)
        if get(task).values:
            _put_back(self._models[0], scale)

    def _fit_within(self, x: Any, y: np.ndarray, weights: np.ndarray | None, seed: int, seconds: float) -> bool:
        """Round after round without choosing the strength, where a fit with all that belongs to it takes longer."""
        begun, whole = time.perf_counter(), _rounds(len(y))
        self._models = _fitted(x, y, self._task, _DEFAULT, seed, 1, weights)
        one = time.perf_counter() - begun
        if one * (1 + whole * fits(len(y))) <= seconds:
            return False
        rounds = 1
        while rounds < whole and time.perf_counter() - begun + one <= seconds:
            _another_round(self._models, x, y, self._task, weights)
            rounds += 1
        self.left_out = _cut(rounds, whole)
        return True

    def predicted(self, some: Sequence[Any] | np.ndarray, y: np.ndarray, rows: int, task: str, seed: int) -> float:
        """Timed are features and rounds, both of which grow with the rows; what a fit takes besides does not."""
        _fitted(TextFeatures(self.outputs).fit(some[:2]), y[:2], task, _DEFAULT, seed, 1)  # imports are not counted
        stamps, times = [time.perf_counter()], max(1.0, rows / len(y))
        x = TextFeatures(self.outputs).fit(some)
        stamps.append(time.perf_counter())
        for rounds in (1, _TIMED):
            _fitted(x, y, task, _DEFAULT, seed, rounds)
            stamps.append(time.perf_counter())
        features, one, more = np.diff(stamps)
        if get(task).values:
            return float(times * (features + one * fits(rows)))
        absent = self.outputs / max(1, len(np.unique(y))) if get(task).exclusive else 1.0
        each = max(0.0, more - one) / (_TIMED - 1)
        fit = max(0.0, one - each) + times * each * _rounds(rows)
        return float(times * features + absent * fit * fits(rows))

    def probabilities(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Of n texts."""
        return _answers(self._models, self._features.transform(inputs), self._task, self.outputs)

    def state(self) -> ControlState:
        """Vocabularies and weights; of each model its coefficients, or the class it always gives."""
        features = self._features.state()
        tensors, constants = dict(features.tensors), []
        for number, model in enumerate(self._models):
            constants.append(model if isinstance(model, int) else None)
            if not isinstance(model, int):
                tensors |= {f"{number}.{name}": np.asarray(getattr(model, name)) for name in _learnt(self._task)}
        values = {"task": self._task, "strength": self.strength, "constants": constants}
        return ControlState(tensors, {**features.values, **values})

    @classmethod
    def from_state(cls, outputs: int, state: ControlState) -> Self:
        """The same vocabularies and coefficients in scikit-learn's models."""
        control, values = cls(outputs), state.values
        control._features = TextFeatures.from_state(outputs, state)
        control.strength, control._task = values["strength"], values["task"]
        control._models = [
            _restored(state.tensors, number, control._task) if constant is None else constant
            for number, constant in enumerate(values["constants"])
        ]
        return control

    def _chosen(self, x: Any, y: np.ndarray, weights: np.ndarray | None, task: str, seed: int) -> float:
        if x.shape[0] < _FEWEST:
            return _DEFAULT
        rows = np.random.default_rng(seed).permutation(x.shape[0])[:_MOST]
        held, kept = np.split(rows, [len(rows) // 5])
        some = None if weights is None else weights[kept]
        models = [_fitted(x[kept], y[kept], task, strength, seed, weights=some) for strength in _STRENGTHS]
        losses = [_loss(_answers(m, x[held], task, self.outputs), y[held], task) for m in models]
        return _STRENGTHS[int(np.argmin(losses))]


def _cut(rounds: int, whole: int) -> str:
    """What a fit of so many rounds left out, to follow the control's name."""
    if rounds == whole:
        return "was fitted without choosing its penalty"
    return f"was fitted for {rounds} of {whole} rounds and without choosing its penalty"


def _another_round(models: list[Any], x: Any, y: np.ndarray, task: str, weights: np.ndarray | None) -> None:
    """One pass more over the rows, from where each model stands."""
    for number, model in enumerate(models):
        if not isinstance(model, int):
            aim = y[:, number].astype(np.int64) if get(task).several else y
            model.partial_fit(x, aim, sample_weight=weights)


def fits(rows: int) -> float:
    """How many fits on all rows the choice of the strength and the last fit come to."""
    if rows < _FEWEST:
        return 1.0
    some = 0.8 * min(rows, _MOST)
    return 1.0 + len(_STRENGTHS) * some * _rounds(round(some)) / (rows * _rounds(rows))


def _fitted(
    x: Any,
    y: np.ndarray,
    task: str,
    strength: float,
    seed: int,
    rounds: int | None = None,
    weights: np.ndarray | None = None,
) -> list[Any]:
    """One model over all outputs or, for labels, one each; a constant where all targets are the same."""
    from sklearn.linear_model import Ridge

    if get(task).values:
        return [Ridge(alpha=1 / strength).fit(x, y, weights)]
    if get(task).several:
        return [_logistic(x, label.astype(np.int64), strength, seed, rounds, weights) for label in y.T]
    return [_logistic(x, y, strength, seed, rounds, weights)]


def _put_back(model: Any, scale: TargetScale) -> None:
    """A ridge model's answers from standardised targets into the target's unit, float64."""
    model.coef_ = model.coef_.astype(np.float64) * scale.scale[:, None]
    model.intercept_ = model.intercept_ * scale.scale + scale.centre


def _logistic(x: Any, y: np.ndarray, strength: float, seed: int, rounds: int | None, weights: np.ndarray | None) -> Any:
    from sklearn.linear_model import SGDClassifier

    if (y == y[0]).all():
        return int(y[0])
    model = SGDClassifier(
        loss="log_loss",
        alpha=1 / (strength * len(y)),
        max_iter=rounds or _rounds(len(y)),
        tol=None,
        random_state=seed,
        n_jobs=-1,
    )
    return model.fit(x, y, sample_weight=weights)


def _rounds(n: int) -> int:
    """How often stochastic gradient passes over ``n`` rows."""
    n = max(1, n)
    return int(np.clip(_UPDATES // n, max(1, min(5, _ENOUGH // n)), 100))


def _learnt(task: str) -> tuple[str, ...]:
    """The attributes of scikit-learn's models that answers are made with."""
    return ("coef_", "intercept_") if get(task).values else ("coef_", "intercept_", "classes_")


def _restored(tensors: dict[str, np.ndarray], number: int, task: str) -> Any:
    from sklearn.linear_model import Ridge, SGDClassifier

    model = Ridge() if get(task).values else SGDClassifier(loss="log_loss")
    for name in _learnt(task):
        setattr(model, name, tensors[f"{number}.{name}"])
    return model


def _answers(models: list[Any], x: Any, task: str, outputs: int) -> np.ndarray:
    """[n, outputs]: the value, or the probability of each class or label."""
    if get(task).values:
        return models[0].predict(x).reshape(-1, 1)
    if get(task).several:
        return np.stack([_of_classes(model, x, 2)[:, 1] for model in models], axis=1)
    return _of_classes(models[0], x, outputs)


def _of_classes(model: Any, x: Any, outputs: int) -> np.ndarray:
    """[n, outputs], rows sum to 1; 0 for classes that the model was not shown."""
    answer = np.zeros((x.shape[0], outputs))
    if isinstance(model, int):
        answer[:, model] = 1
    else:
        answer[:, model.classes_] = model.predict_proba(x)
    return answer


def _loss(answer: np.ndarray, y: np.ndarray, task: str) -> float:
    """Mean squared error, or mean log loss with probabilities kept a millionth from 0 and 1."""
    if get(task).values:
        return float(np.mean((answer - y) ** 2))
    p = answer.clip(1e-6, 1 - 1e-6)
    if get(task).several:
        return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    return float(-np.mean(np.log(p[np.arange(len(y)), y])))
