"""What the names in a result mean, for a reader who has never met them."""

from __future__ import annotations

from typing import NamedTuple

from headstart.evaluation.metrics import METRICS
from headstart.evaluation.wording import metric_name
from headstart.report.figures import capital
from headstart.tasks import get

#: Metrics in one sentence; its name is `headstart.evaluation.wording.metric_name`.
METRICS_IN_WORDS = {
    "accuracy": "The share of rows that got the right label.",
    "balanced_accuracy": "Recall averaged over the classes, so rare classes count as much as common ones.",
    "f1_macro": "The harmonic mean of precision and recall, averaged over the labels.",
    "f1_micro": "The harmonic mean of precision and recall, over all labels at once.",
    "log_loss": "The negative log of the probability given to the true label; being sure and wrong costs most.",
    "brier": "The squared distance of the probabilities from the truth.",
    "mcc": "Correlation of predictions with the truth; 0 is chance.",
    "auroc": "How often a row of a class ranks above one that is not of it; 0.5 is chance.",
    "top3": "The share of rows whose label is among the three most probable.",
    "top5": "The share of rows whose label is among the five most probable.",
    "average_precision": "The area under the precision-recall curve, averaged over the labels.",
    "subset_accuracy": "The share of rows whose set of labels is exactly right.",
    "r2": "The share of the target's variance that is explained; 0 is the mean as a constant.",
    "mae": "The mean size of an error, in the target's unit.",
    "rmse": "As MAE, with large errors weighing more.",
    "spearman": "How well the order is predicted; 0 is no relation.",
}

#: Every strategy in one plain sentence; "classifier" is said where the task is one.
STRATEGIES = {
    "probe": "A linear classifier fitted on frozen features.",
    "head2toe": "A linear classifier fitted on frozen features of all stages.",
    "partial": "The classifier and the top stages are fine-tuned; the lower stages stay frozen.",
    "progressive": "The classifier and the stages are fine-tuned from the top down, one more at a time.",
    "full": "The classifier is fitted first, then all weights are fine-tuned.",
    "lora": "Low-rank adapters are trained with the classifier, then merged into the weights.",
    "norm": "Only normalisation layers and the classifier are fine-tuned.",
    "scratch": "The same network trained from random weights, without pretraining.",
}

#: Baselines whose names say too little.
BASELINES = {"scratch": "the same network from random weights"}


class Outcome(NamedTuple):
    """How a verdict's outcome is shown: its words, a CSS class and a sign beside them, never colour alone."""

    words: str
    tone: str
    sign: str


OUTCOMES = {
    "helped": Outcome("improved", "good", "✓"),
    "did not help": Outcome("no improvement", "even", "="),
    "hurt": Outcome("reduced", "bad", "✗"),
    "cannot tell": Outcome("inconclusive", "open", "?"),
}


def row_set(rows: str) -> str:
    """The rows of a page as a whole: "test set", "new rows"."""
    return "test set" if rows == "test" else f"{rows} rows"


def outcome(name: str) -> Outcome:
    """The look of outcome ``name``; an unknown one is shown as open."""
    return OUTCOMES.get(name, OUTCOMES["cannot tell"])


def title(metric: str) -> str:
    """The metric's name at the start of a line."""
    return capital(metric_name(metric))


def sentence(metric: str) -> str:
    """What the metric measures, as it says itself where it is not listed here; nothing for an unknown one."""
    if metric in METRICS_IN_WORDS or metric not in METRICS:
        return METRICS_IN_WORDS.get(metric, "")
    return f"{capital(METRICS[metric].description)}."


def direction(metric: str) -> str:
    """ "higher is better", "lower is better", or nothing for an unknown metric."""
    if metric not in METRICS:
        return ""
    return "higher is better" if METRICS[metric].higher_is_better else "lower is better"


def strategy(name: str, task: str = "classification") -> str:
    """What strategy ``name`` does, or nothing for an unknown one."""
    said = STRATEGIES.get(name, "")
    return said.replace("classifier", "regression") if get(task).values else said


def control(name: str) -> str:
    """What baseline ``name`` is, as far as the name does not say it."""
    return BASELINES.get(name, "")
