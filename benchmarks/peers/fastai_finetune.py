"""fastai's `fine_tune` of every layer: python fastai_finetune.py FOLDER EPOCHS (FOLDER holds train/ and val/).

One epoch with the body frozen, as `fine_tune` has it, then EPOCHS of all layers; the images/s are of the latter.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fastai.vision.all import (
    Callback,
    ImageDataLoaders,
    Learner,
    Normalize,
    Resize,
    accuracy,
    aug_transforms,
    get_image_files,
    params,
    set_seed,
)
from lite0 import MEAN, SIZE, STD, lite0
from torch import nn


class Stopwatch(Callback):
    """Images and seconds of the training part of the epochs with every layer."""

    def __init__(self) -> None:
        self.images, self.seconds, self.start = 0, 0.0, 0.0

    def before_train(self) -> None:
        """An epoch's training begins."""
        self.start = time.perf_counter()

    def after_train(self) -> None:
        """It ends; frozen epochs do not count."""
        if self.opt.frozen_idx == 0:
            self.images += self.dls.train.n // self.dls.train.bs * self.dls.train.bs  # the last, short batch is dropped
            self.seconds += time.perf_counter() - self.start


def parts(model: nn.Module) -> list[list[nn.Parameter]]:
    """Parameter groups for `fine_tune`: lower body, upper body, head."""
    lower = [model.conv_stem, model.bn1, *model.blocks[:4]]
    upper = [*model.blocks[4:], model.conv_head, model.bn2]
    return [params(nn.ModuleList(lower)), params(nn.ModuleList(upper)), params(model.classifier)]


def main(folder: Path, epochs: int) -> None:
    """Fine-tune, print the result."""
    start = time.perf_counter()
    set_seed(0)
    batches = ImageDataLoaders.from_folder(
        folder,
        train="train",
        valid="val",
        item_tfms=Resize(256),
        batch_tfms=[*aug_transforms(size=SIZE), Normalize.from_stats(MEAN, STD)],
        bs=min(32, len(get_image_files(folder / "train"))),  # an epoch drops what does not fill a batch
        num_workers=2,
    )
    stopwatch = Stopwatch()
    learner = Learner(batches, lite0(batches.c), metrics=accuracy, splitter=parts, cbs=[stopwatch])
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(epochs, 2e-3)
        score = float(learner.validate()[1])
    rate = stopwatch.images / stopwatch.seconds
    print(json.dumps({"accuracy": score, "examples_per_second": rate, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
