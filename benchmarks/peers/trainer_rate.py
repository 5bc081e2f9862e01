"""How fast transformers' Trainer trains with nothing but its defaults: python trainer_rate.py FOLDER STEPS.

FOLDER holds train.csv with the columns text and category; the examples/s leave out the first steps.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from trainer_text import base_folder, encoded, rows
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

_WARM_UP = 5  # steps


class Stopwatch(TrainerCallback):
    """When each step ended, in seconds."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        """Take the time."""
        self.ends.append(time.perf_counter())


def main(folder: Path, steps: int) -> None:
    """Train so many steps, print the rate."""
    start = time.perf_counter()
    set_seed(0)
    train = rows(folder / "train.csv")
    codes = {label: i for i, label in enumerate(sorted({label for _, label in train}))}
    base = base_folder()
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(codes), dtype=torch.float32)
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            out, max_steps=_WARM_UP + steps, save_strategy="no", report_to="none", disable_tqdm=True
        )
        Trainer(
            model,
            arguments,
            data_collator=DataCollatorWithPadding(tokenizer),
            train_dataset=encoded(train, codes, tokenizer),
            callbacks=[stopwatch],
        ).train()
    seconds = stopwatch.ends[-1] - stopwatch.ends[_WARM_UP - 1]
    rate = steps * arguments.train_batch_size / seconds
    print(json.dumps({"examples_per_second": rate, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
