"""What the names in a result mean, for a reader who has never met them."""

from __future__ import annotations

from typing import NamedTuple

from headstart.evaluation.metrics import METRICS


class Wording(NamedTuple):
    """A metric's title and one sentence on what it measures."""

    title: str
    sentence: str


#: Every metric in words; whether higher or lower is better comes from the metric itself.
WORDINGS = {
    "accuracy": Wording(
        "Accuracy",
        "The share of test examples that got the right label; 1 would be all of them.",
    ),
    "balanced_accuracy": Wording(
        "Balanced accuracy",
        "The share that got the right label, taken class by class and then averaged, so that rare "
        "classes count as much as common ones; 1 would be all.",
    ),
    "f1_macro": Wording(
        "F1, macro",
        "How well each label is found without being given where it does not belong, averaged over the "
        "labels; 1 is faultless.",
    ),
    "log_loss": Wording(
        "Log loss",
        "How far the stated probabilities are from the truth; being sure and wrong costs most, 0 is faultless.",
    ),
    "brier": Wording(
        "Brier score",
        "The squared distance of the stated probabilities from the truth; 0 is faultless.",
    ),
    "mcc": Wording(
        "Matthews correlation",
        "Agreement with the truth beyond what guessing would give; 0 is guessing, 1 is faultless.",
    ),
    "auroc": Wording(
        "Area under the ROC curve",
        "How often an example of a class is ranked above one that is not of it; 0.5 is guessing, 1 is faultless.",
    ),
    "top3": Wording(
        "Top-3 accuracy",
        "The share of test examples whose right label is among the three most probable ones.",
    ),
    "top5": Wording(
        "Top-5 accuracy",
        "The share of test examples whose right label is among the five most probable ones.",
    ),
    "f1_micro": Wording(
        "F1, micro",
        "How well labels are found without being given where they do not belong, over all labels at "
        "once; 1 is faultless.",
    ),
    "average_precision": Wording(
        "Average precision",
        "How well the examples that have a label are ranked above those that have not, averaged over "
        "the labels; 1 is faultless.",
    ),
    "subset_accuracy": Wording(
        "Exact match of all labels",
        "The share of test examples whose set of labels is exactly right.",
    ),
    "r2": Wording(
        "R²",
        "The share of the target's variation that is explained; 0 is no better than always saying the mean.",
    ),
    "mae": Wording(
        "Mean absolute error",
        "The size of an error on average, in the target's own unit; 0 is faultless.",
    ),
    "rmse": Wording(
        "Root mean squared error",
        "As the mean absolute error, but large errors weigh more; in the target's own unit, 0 is faultless.",
    ),
    "spearman": Wording(
        "Rank correlation",
        "How well the order of the examples is predicted; 0 is no relation, 1 is the exact order.",
    ),
}

#: Every strategy in one plain sentence.
STRATEGIES = {
    "probe": "The base stays as it is; only a new last layer is fitted on what it sees.",
    "head2toe": "The base stays as it is; the new last layer also draws on what its inner stages see.",
    "partial": "The upper stages of the base are trained with the new last layer; the stages below stay as they are.",
    "progressive": "The stages of the base are trained from the top down, one more at a time, with the new last layer.",
    "full": "The new last layer is fitted first, then it and every weight of the base are trained together.",
    "lora": "Small added matrices beside the base's own weights are trained, then folded into them.",
    "norm": "Only the scales and shifts of the base's normalisation layers are trained, with the new last layer.",
    "scratch": "The same network is trained from random weights, so that nothing is borrowed.",
}

#: Controls whose names say too little.
CONTROLS = {"scratch": "the same network from random weights"}


class Outcome(NamedTuple):
    """How a verdict's outcome is shown: a CSS class and a sign beside the words, never colour alone."""

    tone: str
    sign: str


OUTCOMES = {
    "helped": Outcome("good", "✓"),
    "did not help": Outcome("even", "="),
    "hurt": Outcome("bad", "✗"),
    "cannot tell": Outcome("open", "?"),
}


def outcome(name: str) -> Outcome:
    """The look of outcome ``name``; an unknown one is shown as open."""
    return OUTCOMES.get(name, OUTCOMES["cannot tell"])


def title(metric: str) -> str:
    """The metric's name in words, or as it is."""
    return WORDINGS[metric].title if metric in WORDINGS else metric


def sentence(metric: str) -> str:
    """What the metric measures, or nothing for an unknown one."""
    return WORDINGS[metric].sentence if metric in WORDINGS else ""


def direction(metric: str) -> str:
    """ "higher is better", "lower is better", or nothing for an unknown metric."""
    if metric not in METRICS:
        return ""
    return "higher is better" if METRICS[metric].higher_is_better else "lower is better"


def with_direction(metric: str, where: str) -> str:
    """The metric's name as the head of a scale: "Accuracy on validation (higher is better)"."""
    better = direction(metric)
    return f"{title(metric)} {where}" + (f" ({better})" if better else "")


def strategy(name: str) -> str:
    """What strategy ``name`` does, or nothing for an unknown one."""
    return STRATEGIES.get(name, "")


def control(name: str) -> str:
    """What control ``name`` is, as far as the name does not say it."""
    return CONTROLS.get(name, "")
