from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from headstart.controls.features_linear import FeaturesLinear
from headstart.modalities import get
from headstart.modalities.image import ImageSpec
from headstart.modalities.image.classical import classical


def test_digits_need_no_borrowing() -> None:
    digits = load_digits()
    rows = np.random.default_rng(0).permutation(len(digits.target))[:1500]
    spec, image = ImageSpec(224, 224), get("image")
    pictures = (digits.images[rows] * (255 / 16)).astype(np.uint8)  # [1500, 8, 8]
    features = np.stack([classical(image.decode(picture, spec)) for picture in pictures])
    y = digits.target[rows].astype(np.int64)
    control = FeaturesLinear(10)
    control.fit(features[:1000], y[:1000], "classification", 0)
    assert (control.probabilities(features[1000:]).argmax(axis=1) == y[1000:]).mean() >= 0.95
