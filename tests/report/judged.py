"""Made-up judgements: calibration, unknown inputs, slices, damage and what the audit found."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.records import (
    AbstainRecord,
    AuditRecord,
    BinRecord,
    CalibrationRecord,
    ClassRecord,
    ConformalRecord,
    DamageRecord,
    FindingRecord,
    NaiveRecord,
    OodRecord,
    ShiftRecord,
    SliceRecord,
)

NAN = float("nan")
KINDS = ("blur", "noise", "JPEG", "light", "crop", "rotation")


def nothing() -> dict[str, Any]:
    """The fields of a result that was judged on nothing but its score."""
    return {
        "audit": AuditRecord([], 0, None, 0, 0),
        "classes": [],
        "slices": [],
        "calibration": None,
        "ood": None,
        "shift": None,
    }


def everything() -> dict[str, Any]:
    """The same fields with all that a run can have."""
    return {
        "audit": audit(),
        "classes": [
            ClassRecord("ants", 39, 0.947, 0.827, 0.985, 0.923, 0.797, 0.973),
            ClassRecord("bees", 41, 0.929, 0.81, 0.975, 0.951, 0.839, 0.987),
        ],
        "slices": slices(),
        "calibration": calibration(),
        "ood": ood(),
        "shift": shift(),
    }


def calibration(bins: int = 8) -> CalibrationRecord:
    """A little too sure in the middle; sets that keep their promise and an "I don't know"."""
    sure = np.linspace(0.55, 0.995, bins)
    right = np.clip(sure - 0.1 * np.sin(np.pi * (sure - 0.5) * 2), 0, 1)
    made = [
        BinRecord(float(c), float(r), max(float(r) - 0.16, 0), min(float(r) + 0.1, 1), 10)
        for c, r in zip(sure, right, strict=True)
    ]
    return CalibrationRecord(
        ece=0.031,
        low=0.012,
        high=0.067,
        temperature=1.31,
        before=0.058,
        bins=made,
        conformal=ConformalRecord(0.9, 0.938, 0.862, 0.973, 1.06, 63),
        abstain=AbstainRecord(0.05, 0.81, 0.875, 0.029, 0.008, 0.099),
    )


def ood(**changes: object) -> OodRecord:
    """Judged on a folder of strange pictures, better than the plain way."""
    made = {
        "auroc": 0.972,
        "low": 0.955,
        "high": 0.983,
        "method": "GEN on the probabilities and the distance to the 10 nearest known inputs, rank-averaged",
        "judged_on": "--ood strange (200 rows)",
        "softmax_auroc": 0.941,
        "gain_low": 0.014,
        "threshold": 0.95,
        "false_alarms": 0.0625,
        "n": 200,
    }
    return OodRecord(**(made | changes))  # type: ignore[arg-type]


def slices() -> list[SliceRecord]:
    """Given and found ones, one too small for an interval."""
    return [
        SliceRecord("brightness", "brightness 0.05–0.31", 26, 0.769, 0.52, 0.91, True),
        SliceRecord("camera", "phone", 22, 0.864, 0.58, 0.966, False),
        SliceRecord("width × height", "width × height 150,000–240,000", 27, 0.926, 0.7, 0.985, True),
        SliceRecord("camera", "scan", 3, 1.0, NAN, NAN, False),
    ]


def shift() -> ShiftRecord:
    """Six kinds of damage at five strengths; the estimate follows the score and the plain guess does not."""
    damage = []
    for i, kind in enumerate(KINDS):
        for strength in range(1, 6):
            score = 0.9375 - 0.01 * (i + 1) * strength**1.3
            estimated = score + 0.02 * (-1) ** strength
            ece = 0.03 + 0.004 * (i + 1) * strength
            damage.append(DamageRecord(kind, strength, score, score - 0.09, min(score + 0.06, 1), ece, estimated, 80))
    return ShiftRecord(damage, clean=0.9375, valid=0.948)


def audit() -> AuditRecord:
    """A leak, a likely label mistake and a note."""
    return AuditRecord(
        findings=[
            FindingRecord(
                "label-9b2c11",
                "label",
                "warning",
                "3 examples are likely to have the wrong label.",
                "Look at them in this order; `headstart audit --apply` writes a table without them.",
                ["train/ants/0013035.jpg", "train/bees/196658222.jpg", "train/ants/28847243.jpg"],
                {"given": "ants", "suggested": "bees", "probability": 0.987},
            ),
            FindingRecord(
                "leak-3f2a91",
                "leak",
                "error",
                "2 test pictures are near duplicates of training pictures.",
                "Let headstart draw the split, which keeps near duplicates together.",
                [f"val/bees/{i}.jpg" for i in range(11)],
                {"similarity": [0.993, 0.981], "how": "picture hash"},
            ),
            FindingRecord("size-000001", "size", "note", "80 test examples make an interval of 0.11.", "", [], {}),
        ],
        found=3,
        naive=NaiveRecord(0.962, 0.921, 0.041, 0.012, 0.07, "near duplicates"),
        clusters=4,
        clustered_rows=9,
    )


def classes(labels: list[str], counts: np.ndarray) -> list[ClassRecord]:
    """Of confusion counts [k, k], with intervals of made-up width."""
    hits, said, support = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
    return [
        ClassRecord(label, int(n), p, max(p - 0.1, 0), min(p + 0.05, 1), r, max(r - 0.1, 0), min(r + 0.05, 1))
        for label, n, p, r in zip(labels, support, (hits / said).tolist(), (hits / support).tolist(), strict=True)
    ]
