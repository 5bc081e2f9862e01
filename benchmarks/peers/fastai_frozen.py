"""fastai's vision recipe with the body frozen: python fastai_frozen.py FOLDER EPOCHS (FOLDER holds train/ and val/)."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fastai.vision.all import (
    ImageDataLoaders,
    Learner,
    Normalize,
    Resize,
    accuracy,
    aug_transforms,
    params,
    set_seed,
)
from lite0 import MEAN, SIZE, STD, lite0
from torch import nn


def body_and_head(model: nn.Module) -> list[list[nn.Parameter]]:
    """Parameter groups as `Learner.freeze` wants them: all but the last are frozen."""
    body = [part for name, part in model.named_children() if name != "classifier"]
    return [params(nn.ModuleList(body)), params(model.classifier)]


def main(folder: Path, epochs: int) -> None:
    """Train the classifier by one cycle, print the result."""
    start = time.perf_counter()
    set_seed(0)
    batches = ImageDataLoaders.from_folder(
        folder,
        train="train",
        valid="val",
        item_tfms=Resize(256),
        batch_tfms=[*aug_transforms(size=SIZE), Normalize.from_stats(MEAN, STD)],
        bs=32,
        num_workers=2,
    )
    learner = Learner(batches, lite0(batches.c), metrics=accuracy, splitter=body_and_head)
    learner.freeze()
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(epochs, 3e-3)
        score = float(learner.validate()[1])
    print(json.dumps({"accuracy": score, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
