"""transformers' recipe for token classification: python trainer_tags.py FOLDER EPOCHS RATE SECONDS.

FOLDER holds train.jsonl and test.jsonl, rows of {"tokens": […], "tags": […]}; what is said of the test rows goes to
said.jsonl beside them. The label of a word is that of its first token, as in the library's examples; batch and schedule
are their defaults. With SECONDS above 0 there are as many whole epochs, at most EPOCHS, as are expected to fit.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from trainer_text import base_folder
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
    set_seed,
)

_IGNORED = -100  # the label that the loss leaves out
_TRIAL = 40  # steps that tell how long an epoch takes
_LEFT = 0.95  # of the time, for epochs; the rest is for the test rows and for what epochs vary by


def rows(path: Path) -> list[dict[str, list[str]]]:
    """Tokens and tags of each sentence."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def encoded(
    examples: list[dict[str, list[str]]], codes: dict[str, int], tokenizer: Any
) -> tuple[list[dict[str, Any]], list[dict[int, int]]]:
    """Examples as the Trainer takes them; of each, word -> its first token."""
    found = tokenizer([row["tokens"] for row in examples], truncation=True, max_length=256, is_split_into_words=True)
    taken, firsts = [], []
    for i, row in enumerate(examples):
        ids, first = found["input_ids"][i], dict[int, int]()
        for place, word in enumerate(found.word_ids(i)):
            if word is not None:
                first.setdefault(word, place)
        labels = [_IGNORED] * len(ids)
        for word, place in first.items():
            labels[place] = codes.get(row["tags"][word], _IGNORED)
        taken.append({"input_ids": ids, "attention_mask": found["attention_mask"][i], "labels": labels})
        firsts.append(first)
    return taken, firsts


def trainer(
    names: list[str], tokenizer: Any, train: list[dict[str, Any]], out: str, rate: float, **length: float
) -> Trainer:
    """A new model with its Trainer."""
    set_seed(0)
    model = AutoModelForTokenClassification.from_pretrained(base_folder(), num_labels=len(names), dtype=torch.float32)
    settings: dict[str, Any] = {"save_strategy": "no", "report_to": "none", "disable_tqdm": True, **length}
    arguments = TrainingArguments(out, learning_rate=rate, **settings)
    return Trainer(model, arguments, data_collator=DataCollatorForTokenClassification(tokenizer), train_dataset=train)


def main(folder: Path, epochs: int, rate: float, seconds: float) -> None:
    """Fine-tune every layer, say what the test rows are, print how long it took."""
    start = time.perf_counter()
    train, test = rows(folder / "train.jsonl"), rows(folder / "test.jsonl")
    names = sorted({tag for row in train for tag in row["tags"]})
    codes, tokenizer = {name: i for i, name in enumerate(names)}, AutoTokenizer.from_pretrained(base_folder())
    learnt, _ = encoded(train, codes, tokenizer)
    asked: Any
    asked, firsts = encoded(test, codes, tokenizer)
    with tempfile.TemporaryDirectory() as out:
        if seconds > 0:
            begun = time.perf_counter()
            trial = trainer(names, tokenizer, learnt, out, rate, max_steps=_TRIAL)
            trial.train()
            epoch = (time.perf_counter() - begun) / (_TRIAL * trial.args.train_batch_size) * len(learnt)
            epochs = int(np.clip(_LEFT * seconds // epoch, 1, epochs))
        whole = time.perf_counter()  # the trial is not part of the recipe
        fitted = trainer(names, tokenizer, learnt, out, rate, num_train_epochs=epochs)
        fitted.train()
        logits: Any = fitted.predict(asked).predictions  # [n, tokens, tags]
    best = logits.argmax(-1)
    with (folder / "said.jsonl").open("w", encoding="utf-8") as file:
        for row, tokens, first in zip(test, best, firsts, strict=True):
            said = [names[tokens[first[word]]] if word in first else "O" for word in range(len(row["tokens"]))]
            file.write(json.dumps(said) + "\n")
    end = time.perf_counter()
    print(json.dumps({"epochs": epochs, "training_seconds": end - whole, "seconds": end - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
