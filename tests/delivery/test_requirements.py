"""requirements-predict.txt is all that a saved model needs to answer: every other package is out of reach here."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.modalities.audio.sounds import encoded, voice
from tests.test_docs import PROJECT, ROOT
from tests.toys import image_folder, sentences, table

import headstart as hs

LIST = ROOT / "requirements-predict.txt"

#: Run with the modules that are out of reach, the run's folder and an input; prints the answer.
ANSWER = """
import sys
from importlib.abc import MetaPathFinder

blocked = set(sys.argv[1].split())

class OutOfReach(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OutOfReach())
import headstart as hs

model, given = hs.load(sys.argv[2]), sys.argv[3:]
print(model.predict(given)[0], model.predict_proba(given).shape[1], model.predictions(given).unknown[0])
"""


def listed() -> dict[str, list[Requirement]]:
    """Kind, as the comment over it has it -> what is listed for it; what every model needs is under ""."""
    first, *others = LIST.read_text(encoding="utf-8").split("\n\n")
    found = {"": [Requirement(line) for line in first.splitlines() if not line.startswith("#")]}
    for block in others:
        heading, *lines = block.strip().splitlines()
        found[re.split(r" with|,", heading.removeprefix("# "))[0]] = [Requirement(line) for line in lines]
    return found


def out_of_reach(*kinds: str) -> set[str]:
    """Top modules of all that is installed but what is listed for ``kinds``, and headstart."""
    allowed = {canonicalize_name(one.name) for kind in ("", *kinds) for one in listed()[kind]} | {"headstart"}
    installed = packages_distributions().items()
    return {top for top, owners in installed if not allowed & set(map(canonicalize_name, owners))} - {"headstart"}


def fitted(kind: str, home: Path, **options: Any) -> tuple[Path, str]:
    """A run on inputs of ``kind``, and one of them."""
    if kind == "images":
        source = image_folder(home / "photos", 12)
        one = str(min(source.rglob("*.png")))
    elif kind == "recordings":
        source = home / "sounds"
        for label, pitch in {"deep": 110.0, "high": 420.0}.items():
            (source / label).mkdir(parents=True)
            for number in range(12):
                wave = voice(0.3, pitch=pitch * (1 + number / 100), seed=number)
                (source / label / f"{number:02}.wav").write_bytes(encoded(wave))
        one = str(source / "deep" / "00.wav")
    else:
        source = table(home / "mail.csv", ["text", "label"], zip(*sentences(24), strict=True))
        one = "the cat sat on the mat"
    return hs.fit(source, out=home / "run", **options).path, one


def answered(run: Path, one: str, modules: set[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ANSWER, " ".join(sorted(modules)), str(run), one]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("kind", "strategy", "kinds"),
    [
        ("images", "probe", ["images"]),
        ("texts", "probe", ["texts"]),
        ("recordings", "probe", ["recordings"]),
        ("images", "baseline:pixels-linear", []),
        ("texts", "baseline:tfidf-linear", ["recordings", "the baseline for texts"]),
    ],
)
def test_a_model_answers_with_what_is_listed_alone(kind: str, strategy: str, kinds: list[str], tmp_path: Path) -> None:
    run, one = fitted(kind, tmp_path, strategy=strategy)
    blocked = out_of_reach(*kinds)
    assert {"torch", "transformers", "matplotlib", "pyarrow"} <= blocked
    found = answered(run, one, blocked)
    assert found.returncode == 0, found.stderr
    label, outputs = found.stdout.split()[:2]
    assert label in hs.load(run).labels
    assert int(outputs) == len(hs.load(run).labels)


def test_a_package_that_is_not_listed_is_out_of_reach(tmp_path: Path) -> None:
    run, one = fitted("texts", tmp_path, strategy="probe")
    found = answered(run, one, out_of_reach("texts") | {"tokenizers"})
    assert found.returncode != 0
    assert "No module named 'tokenizers'" in found.stderr


def test_bounds_are_those_of_the_package() -> None:
    stated = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["audio"]]
    own = {canonicalize_name(one.name): one for one in map(Requirement, stated)}
    for one in (one for block in listed().values() for one in block):
        if one.name in own:
            assert one.specifier == own[one.name].specifier, one.name
    names = {canonicalize_name(one.name) for block in listed().values() for one in block}
    assert not names & {"torch", "torchvision", "timm", "transformers", "accelerate", "peft", "matplotlib", "pandas"}
