"""The PyTorch transfer-learning tutorial's "ConvNet as fixed feature extractor" (pytorch.org/tutorials), on Lite0.

python tutorial_frozen.py FOLDER EPOCHS: FOLDER holds train/ and val/; the accuracy is the best epoch's, as there.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from lite0 import MEAN, SIZE, STD, lite0
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

_END = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
_TRAIN = transforms.Compose([transforms.RandomResizedCrop(SIZE), transforms.RandomHorizontalFlip(), *_END])
_VALID = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(SIZE), *_END])


def loader(folder: Path, transform: transforms.Compose, *, shuffle: bool) -> DataLoader:
    """Batches of 4 from 2 workers."""
    return DataLoader(datasets.ImageFolder(folder, transform), batch_size=4, shuffle=shuffle, num_workers=2)


def train(model: nn.Module, batches: DataLoader, optimizer: torch.optim.Optimizer, device: str) -> None:
    """One epoch; as in the tutorial the whole model is in training mode, BatchNorm included."""
    loss = nn.CrossEntropyLoss()
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        loss(model(x.to(device)), y.to(device)).backward()
        optimizer.step()


def accuracy(model: nn.Module, batches: DataLoader, device: str) -> float:
    """Share of right answers."""
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in batches:
            right += int((model(x.to(device)).argmax(1).cpu() == y).sum())
            total += len(y)
    return right / total


def main(folder: Path, epochs: int) -> None:
    """Freeze the body, train the classifier, print the result."""
    start = time.perf_counter()
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    training, validation = loader(folder / "train", _TRAIN, shuffle=True), loader(folder / "val", _VALID, shuffle=False)
    model = lite0(len(training.dataset.classes)).to(device)  # type: ignore[attr-defined]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in model.get_classifier().parameters():
        parameter.requires_grad_(True)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-3, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    best = 0.0
    for _ in range(epochs):
        train(model, training, optimizer, device)
        schedule.step()
        best = max(best, accuracy(model, validation, device))
    print(json.dumps({"accuracy": best, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
