"""Every metric against the library's, plain and weighted, and what is undefined."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as sk

from headstart.errors import SettingError
from headstart.evaluation import metric as metric_module
from headstart.evaluation import rank_metrics
from headstart.evaluation.answers import Dense
from headstart.evaluation.class_metrics import f1_slope
from headstart.evaluation.metric import Cells, derivative, rows_of_mean
from headstart.evaluation.metrics import METRICS, evaluate, for_task, get, register
from headstart.evaluation.units import Units
from tests.evaluation.simulate import soft


def _multiclass_auroc(y, p, w):
    return np.mean([sk.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in np.unique(y)])


def _f1(average: str, **kw) -> Callable:
    return lambda y, p, w: sk.f1_score(y, p >= 0.5, average=average, sample_weight=w, **kw)


def _mean_average_precision(y, p, w):
    labels = np.flatnonzero(y.any(axis=0))
    return np.mean([sk.average_precision_score(y[:, c], p[:, c], sample_weight=w) for c in labels])


CLASSIFICATION = {
    "accuracy": lambda y, p, w: sk.accuracy_score(y, p.argmax(1), sample_weight=w),
    "balanced_accuracy": lambda y, p, w: sk.balanced_accuracy_score(y, p.argmax(1), sample_weight=w),
    "f1_macro": lambda y, p, w: sk.f1_score(y, p.argmax(1), average="macro", sample_weight=w),
    "log_loss": lambda y, p, w: sk.log_loss(y, p, labels=np.arange(p.shape[1]), sample_weight=w),
    "brier": lambda y, p, w: sk.brier_score_loss(
        y, p if p.shape[1] > 2 else p[:, 1], labels=np.arange(p.shape[1]), sample_weight=w
    ),
    "mcc": lambda y, p, w: sk.matthews_corrcoef(y, p.argmax(1), sample_weight=w),
    "auroc": _multiclass_auroc,
    "average_precision": lambda y, p, w: _mean_average_precision(np.eye(p.shape[1])[y], p, w),
    "top3": lambda y, p, w: sk.top_k_accuracy_score(y, p, k=3, labels=np.arange(p.shape[1]), sample_weight=w),
    "top5": lambda y, p, w: sk.top_k_accuracy_score(y, p, k=5, labels=np.arange(p.shape[1]), sample_weight=w),
}
MULTILABEL = {
    "f1_micro": _f1("micro"),
    "f1_macro": _f1("macro", zero_division=np.nan),
    "auroc": lambda y, p, w: sk.roc_auc_score(y > 0.5, p, average="macro", sample_weight=w),
    "average_precision": _mean_average_precision,
    "subset_accuracy": lambda y, p, w: sk.accuracy_score(y > 0.5, p >= 0.5, sample_weight=w),
}
REGRESSION = {
    "r2": lambda y, p, w: sk.r2_score(y, p, sample_weight=w),
    "mae": lambda y, p, w: sk.mean_absolute_error(y, p, sample_weight=w),
    "rmse": lambda y, p, w: sk.root_mean_squared_error(y, p, sample_weight=w),
}


def ready(name: str, y: np.ndarray, p: np.ndarray):
    return METRICS[name].prepare(Dense(y), Dense(p))


def weighted(name: str, y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """[draws] the metric for weights [n, draws]."""
    return METRICS[name].value(ready(name, y, p), w)


def classified(seed: int, n: int, k: int, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    p = soft(rng, y, k)
    if ties:
        p = np.round(p, 1) + 1e-3 * (1 + np.arange(k))  # ties between rows, none within one
        p /= p.sum(axis=1, keepdims=True)
    return y, p


def labelled(seed: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random((n, k)) < 0.3).astype(np.float32)
    return y, np.round(np.clip(0.35 * y + 0.8 * rng.random((n, k)), 0, 1), 2)


def measured(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.round(1e4 + rng.normal(size=(n, 1)), 1)
    return y, np.round(y + 0.7 * rng.normal(size=(n, 1)), 1)


CASES = [
    *[(name, ref, *classified(s, n, k, t)) for name, ref in CLASSIFICATION.items()
      for s, (n, k, t) in enumerate([(400, 7, False), (60, 7, True), (1200, 8, True)])],
    *[(name, ref, *classified(s, n, 2)) for name, ref in CLASSIFICATION.items() if name not in {"top3", "top5"}
      for s, n in enumerate([9, 900])],
    *[(name, ref, *labelled(s, n, k)) for name, ref in MULTILABEL.items()
      for s, (n, k) in enumerate([(200, 5), (12, 3), (1500, 4)])],
    *[(name, ref, *measured(s, n)) for name, ref in REGRESSION.items() for s, n in enumerate([3, 300])],
]  # fmt: skip


@pytest.mark.parametrize(("name", "reference", "y", "p"), CASES)
def test_it_agrees_with_the_library_plain_and_weighted(name, reference, y, p):
    weights = np.random.default_rng(5).exponential(size=(len(y), 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        plain = reference(y, p, None)
        expected = [reference(y, p, w) for w in weights.T]
    assert METRICS[name].function(y, p) == pytest.approx(plain, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(weighted(name, y, p, weights), expected, rtol=1e-7)


@pytest.mark.parametrize("n", [3, 50, 400])
def test_spearman_agrees_with_scipy_and_whole_weights_repeat_rows(n):
    y, p = measured(1, n)
    assert METRICS["spearman"].function(y, p) == pytest.approx(spearmanr(y[:, 0], p[:, 0])[0], rel=1e-9)
    times = np.random.default_rng(0).integers(1, 4, n)
    repeated = METRICS["spearman"].function(np.repeat(y, times, axis=0), np.repeat(p, times, axis=0))
    assert weighted("spearman", y, p, times[:, None].astype(float))[0] == pytest.approx(repeated)


def test_every_metric_is_checked_against_a_library():
    checked = {*CLASSIFICATION, *MULTILABEL, *REGRESSION, "spearman"}
    of_arrays = {name for name, one in METRICS.items() if {*one.tasks} & {"classification", "multilabel", "regression"}}
    assert checked == of_arrays


SLOPES = [(name, *classified(2, 60, k, ties=True)) for name in CLASSIFICATION for k in (2, 4)]
SLOPES += [(name, *labelled(2, 60, 4)) for name in MULTILABEL]
SLOPES = [case for case in SLOPES if case[0] in ("f1_macro", "f1_micro", "mcc", "auroc", "average_precision")]


@pytest.mark.parametrize(("name", "y", "p"), SLOPES)
def test_the_influence_is_the_slope_of_the_metric(name, y, p):
    w, step = np.random.default_rng(0).exponential(size=60), 1e-5
    up, down = (weighted(name, y, p, w[:, None] + sign * step * np.eye(60)) for sign in (1, -1))
    metric, prepared = METRICS[name], ready(name, y, p)
    if name == "f1_macro":  # its interval goes by a class's value drawn towards the mean; here by the class's own
        metric = replace(metric, slope=lambda s: f1_slope(s, towards=0.0))
    own = {"towards": 0.0} if name in ("auroc", "average_precision") else {}
    moves = metric.moves(prepared, w, **own)
    np.testing.assert_allclose(moves, (up - down) / (2 * step), atol=1e-8)


@pytest.mark.parametrize("name", ["auroc", "average_precision"])
def test_columns_that_are_too_many_to_be_kept_sorted_give_the_same(name, monkeypatch):
    y, p = classified(3, 300, 4) if name == "auroc" else labelled(3, 300, 3)
    w, sorts = np.random.default_rng(0).exponential(size=(300, 4)), []
    ranks = rank_metrics.Ranks
    monkeypatch.setattr(rank_metrics, "Ranks", lambda score: sorts.append(1) or ranks(score))
    kept = ready(name, y, p)
    once = METRICS[name].value(kept, w), METRICS[name].moves(kept, w[:, 0])
    assert len(sorts) == len(kept)  # once a column
    monkeypatch.setattr(rank_metrics, "_HELD", 0)
    anew = ready(name, y, p)
    for found, expected in zip((METRICS[name].value(anew, w), METRICS[name].moves(anew, w[:, 0])), once, strict=True):
        assert np.array_equal(found, expected)
    assert len(sorts) == 3 * len(kept)


@pytest.mark.parametrize("at_once", [1, 3, 1 << 20])
def test_a_derivative_is_that_of_the_formula(at_once, monkeypatch):
    monkeypatch.setattr(metric_module, "_AT_ONCE", at_once)
    sums = np.array([3.0, 0.5, 2.0, 7.0])
    found = derivative(lambda s: np.sqrt(s[0] * s[1]) / s[2] + np.maximum(s[3], 1) ** 2, sums)
    root = np.sqrt(1.5)
    np.testing.assert_allclose(found, [0.25 / root / 2, 1.5 / root / 2, -root / 4, 14.0], rtol=1e-14)
    with pytest.raises(TypeError, match="as abs does"):
        derivative(lambda s: np.abs(s[0]), sums)


def test_cells_are_the_matrix_of_their_ones():
    rng = np.random.default_rng(0)
    matrix = (rng.random((9, 6)) < 0.3) * 1.0
    matrix[:, 2] = 0
    cells, w, slope = Cells(*np.nonzero(matrix), matrix.shape), rng.random((9, 4)), rng.random(6)
    np.testing.assert_allclose(cells.totals(w), matrix.T @ w)
    np.testing.assert_allclose(cells @ slope, matrix @ slope)
    unit = Units.of(np.array([4, 4, 1, 1, 1, 7, 4, 7, 7]), 9)
    np.testing.assert_allclose(cells.of_units(unit).totals(w[:3]), unit.sums(matrix).T @ w[:3])


def test_top5_does_not_count_ties_as_found():
    p = np.full((4, 8), 1 / 8)
    assert METRICS["top5"].function(np.array([0, 4, 5, 7]), p) == 0.5


def test_a_certain_and_wrong_answer_has_a_finite_log_loss():
    p, y = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1])
    assert METRICS["log_loss"].function(y, p) == pytest.approx(-np.log(np.finfo(np.float32).eps) / 2)
    assert METRICS["log_loss"].function(y, p) == METRICS["log_loss"].function(y, p.astype(np.float32))


UNDEFINED = [
    ("auroc", np.zeros(5, int), np.full((5, 2), 0.5)),
    ("auroc", np.tile([0.0, 1.0], (4, 1)), np.full((4, 2), 0.5)),
    ("average_precision", np.zeros(5, int), np.full((5, 2), 0.5)),
    ("mcc", np.zeros(5, int), np.tile([0.3, 0.7], (5, 1))),
    ("mcc", np.array([0, 1, 0]), np.tile([0.3, 0.7], (3, 1))),
    ("f1_micro", np.zeros((3, 2)), np.zeros((3, 2))),
    ("f1_macro", np.zeros((3, 2)), np.zeros((3, 2))),
    ("average_precision", np.zeros((3, 2)), np.full((3, 2), 0.4)),
    ("r2", np.full((4, 1), 0.1), np.arange(4.0)[:, None]),
    ("r2", np.ones((1, 1)), np.ones((1, 1))),
    ("spearman", np.arange(4.0)[:, None], np.full((4, 1), 0.1)),
    ("spearman", np.full((4, 1), 0.1), np.arange(4.0)[:, None]),
]


@pytest.mark.parametrize(("name", "y", "p"), UNDEFINED)
def test_what_is_undefined_is_nan_not_0(name, y, p):
    assert np.isnan(METRICS[name].function(y, p))


EMPTY = {
    "classification": (np.zeros(0, int), np.zeros((0, 7))),
    "multilabel": (np.zeros((0, 3)), np.zeros((0, 3))),
    "regression": (np.zeros((0, 1)), np.zeros((0, 1))),
}


@pytest.mark.parametrize("task", EMPTY)
def test_no_rows_make_every_metric_nan(task):
    values = evaluate(task, *EMPTY[task])
    assert values
    assert all(np.isnan(v) for v in values.values())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_probabilities_that_are_not_finite_make_every_metric_nan(bad):
    y, p = classified(0, 20, 3)
    p[4, 1] = bad
    assert all(np.isnan(v) for v in evaluate("classification", y, p).values())


@pytest.mark.parametrize(("name", "always"), [("top3", 3), ("top5", 5)])
def test_first_few_are_left_out_where_they_are_always_right(name, always):
    assert name not in {m.name for m in for_task("classification", always)}
    assert name in {m.name for m in for_task("classification", always + 1)}


def test_evaluate_has_all_of_a_tasks_metrics_and_no_other():
    y, p = labelled(0, 30, 3)
    assert set(evaluate("multilabel", y, p)) == set(MULTILABEL)


def test_the_name_says_which_way_is_better():
    for name, metric in METRICS.items():
        loss = name.endswith(("loss", "error")) or name in {"mae", "rmse", "brier"}
        assert metric.higher_is_better != loss


def test_unknown_names_are_refused():
    with pytest.raises(SettingError, match="Did you mean 'accuracy'"):
        get("acuracy")
    with pytest.raises(SettingError, match="'ranking'"):
        for_task("ranking", 3)


def test_rows_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="3 rows"):
        METRICS["accuracy"].function(np.zeros(3, int), np.ones((4, 2)))


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(SettingError, match="metric 'mae' already"):
        register(METRICS["mae"])


def test_a_classification_run_needs_no_heavy_library():
    code = (
        "import sys, numpy as np\n"
        "import headstart.tasks\n"
        "from headstart.evaluation import calibration, per_class, slices, verdict\n"
        "from headstart.evaluation.bootstrap import paired_gain\n"
        "from headstart.evaluation.metrics import evaluate\n"
        "y, p = np.arange(60) % 2, np.tile([0.4, 0.6], (60, 1))\n"
        "evaluate('classification', y, p)\n"
        "for metric in ('accuracy', 'balanced_accuracy'): paired_gain(metric, y, p, p)\n"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'pyarrow') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_negative_moves_average_precision_by_what_leaving_it_out_changes():
    """With m positives each counts m / (m + 1) of the positives above it; here m is 2 (`average_precision_bias`)."""
    truth, score = np.array([0, 1, 0, 1, 0, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])

    def freed(w):
        hits, others = np.cumsum(w * truth) * 2 / 3, np.cumsum(w * (1 - truth))
        return float((w * truth) @ (hits / np.maximum(hits + others, 1e-12)) / 2)

    prepared = ready("average_precision", truth[:, None], score[:, None])
    moves = METRICS["average_precision"].moves(prepared, np.ones(6), paired=True)
    left_out = [freed(np.ones(6)) - freed(1 - np.eye(6)[row]) for row in (0, 2, 4, 5)]
    assert moves[[0, 2, 4, 5]] == pytest.approx(left_out, abs=1e-9)


def test_a_class_of_few_rows_makes_a_mean_of_classes_as_unsure_as_that_class():
    assert rows_of_mean(np.full(4, 25), 100) == pytest.approx(100)
    assert rows_of_mean(np.array([199, 1, 0]), 200) == pytest.approx(4 / (1 + 1 / 199))
    assert rows_of_mean(np.full(4, 30), 30) == 30  # a row has several labels and is one row yet
    for name in ("f1_macro", "mcc", "auroc", "average_precision"):
        y = np.repeat([0, 1], [199, 1])
        assert METRICS[name].counted(ready(name, y, np.eye(3)[y])) == pytest.approx(4 / (1 + 1 / 199))


def test_the_bias_of_f1_allows_for_random_numbers_of_rows_where_they_are():
    """F1 of many rows against the mean of many samples of 13 rows a class, whose numbers are drawn or chosen."""
    rng, k = np.random.default_rng(0), 40

    def f1(y):
        predicted = np.where(rng.random(len(y)) < 0.7, y, rng.integers(0, k, len(y)))
        p, one = np.eye(k)[predicted], METRICS["f1_macro"]
        return one.function(y, p), one.bias(ready("f1_macro", y, p), np.ones(len(y)))

    chosen, drawn = np.repeat(np.arange(k), 13), lambda: rng.integers(0, k, 13 * k)
    truth = np.mean([f1(np.repeat(np.arange(k), 2000))[0] for _ in range(10)])
    fixed, random = (np.array([f1(y()) for _ in range(800)]).mean(axis=0) for y in (lambda: chosen, drawn))
    assert random[0] < fixed[0] - 0.003  # else there is nothing to tell
    for value, bias in (fixed, random):
        assert value - bias == pytest.approx(truth, abs=0.003)
