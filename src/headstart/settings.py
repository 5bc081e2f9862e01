"""The settings of a run: small frozen dataclasses, each field one line with its unit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

#: Settings whose option, on the command line and in Python, has another name: setting -> option.
OPTIONS = {
    "size": "image_size",
    "thaw": "unfreeze",
    "rate": "lr",
    "body_rate": "backbone_lr_multiplier",
    "batch": "batch_size",
    "rank": "lora_rank",
    "scratch_control": "scratch_baseline",
    "damage": "corruptions",
}


def option_name(setting: str) -> str:
    """What the option of ``setting`` is called in messages, as the command line has it without the dashes."""
    return OPTIONS.get(setting, setting).replace("_", "-")


@dataclass(frozen=True)
class SourceSettings:
    """How to read a source; every None means "infer it and say why"."""

    input: str | None = None  # name of the input column
    target: tuple[str, ...] | None = None  # name(s) of the target column(s); several 0/1 columns make a multilabel task
    group: str | None = None  # column whose rows are kept on one side of every split
    slices: tuple[str, ...] = ()  # columns to report the score by
    split: str | None = None  # column that holds a given split
    task: str | None = None  # "classification", "multilabel", "regression" or "tag"
    modality: str | None = None  # "image" or "text"
    weight: str | None = None  # column of weights of rows in training, from 0 on
    strict: bool = False  # refuse tags of entities that do not follow their scheme


@dataclass(frozen=True)
class SplitSettings:
    """How rows without a given split are assigned."""

    valid: float = 0.2  # share of the non-test rows, 0 < valid < 1
    test: float = 0.2  # share of all rows, 0 < test < 1; 0: no test set, every row is trained on
    together: bool = True  # near duplicates are kept on one side of every split
    seed: int = 0  # draws the split
    like: str | None = None  # folder of a run whose rows keep their part; None: every row is drawn by its content


@dataclass(frozen=True)
class JudgingSettings:
    """What a run measures, and what its model says, besides the score and the answer."""

    ood: str | None = None  # source of inputs that the model should not know; None: made ones
    risk: float | None = None  # error allowed among what is answered, 0 < risk < 1; None: everything is answered
    level: float = 0.9  # target coverage of conformal sets, 0 < level < 1
    damage: bool = False  # also score corrupted test rows
    threshold: str | None = None  # "best-f1", "precision=0.9", "recall=0.95" or a probability; None: see `deciding`
    positive: str | None = None  # of two classes, the one that is looked for; None: inferred


@dataclass(frozen=True)
class TrainingSettings:
    """How training goes where a strategy moves the base's weights; every None takes the strategy's own value."""

    thaw: int | None = None  # stages of the base that move, from the top
    epochs: float | None = None  # passes over the training rows, of every phase
    rate: float | None = None  # greatest learning rate of the head
    body_rate: float | None = None  # the top stage's rate as a share of the head's
    batch: int | None = None  # rows a step
    augment: str = "auto"  # "auto", "none", or "corruption": also blur, noise, JPEG, low light; typos, cut texts
    mixup: float | None = None  # strength, 0: none; None: 0.2 for pictures where rows are plenty
    adapter: str = "lora"  # kind that strategy lora trains: "lora", "dora" or "rslora"
    rank: int = 16  # of the adapters
    l2sp: float = 0.0  # strength of the pull back to the base's weights
    retain: str | None = None  # source of inputs on which the base's features are to stay
    replay: float = 1.0  # strength of that
    max_forgetting: float | None = None  # share of the base's answers or neighbours that may change, 0 to 1
    prefix_cache: bool = True  # keep what the frozen stages give on disk
    scratch_control: bool = True  # also train the same network from random weights, where weights were trained


@dataclass(frozen=True)
class FitSettings:
    """Everything a run is told, apart from where the data are and where results go."""

    source: SourceSettings = field(default_factory=SourceSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    judging: JudgingSettings = field(default_factory=JudgingSettings)
    folds: int | None = None  # times that every working row is held out in turn; None: where rows are few
    base: str | None = None  # name of the base; None: the modality's default
    licence: str | None = None  # "commercial": a base not known to allow commercial use is refused
    size: int | None = None  # side in pixels that pictures are given to the base at; None: the base's own
    max_tokens: int | None = None  # of a text that are given to the base at once; None: 256, or what it takes
    windows: int | None = None  # that a longer text is read in at most; None: 8; 1: it is cut off
    trust_remote_code: bool = False  # the base's repository may bring code along, which is run
    training: TrainingSettings = field(default_factory=TrainingSettings)
    evidence: str | None = None  # run that this one repeats on all rows, and whose scores it shows; with split.test 0
    strategy: str = "auto"  # "auto" climbs the ladder; else the name of one strategy, or "baseline:" and of a baseline
    budget: float | None = None  # seconds that the whole run may take; None: as long as the ladder pays
    metric: str | None = None  # to choose and judge by; None: the task's default
    class_weight: str | dict[str, float] | None = None  # "none", "balanced" or by class; None: as the metric counts
    max_rejected: float = 0.05  # share of unreadable rows above which the run fails
    seed: int = 0  # of splits, folds and intervals

    def to_dict(self) -> dict[str, Any]:
        """Plain values for result.json."""
        return asdict(self)
