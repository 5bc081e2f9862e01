"""Duplicates planted on purpose: a picture or a text changed in ways that leave it what it is."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

_WORDS = """
a an the this that these those it its i im me my mine you your we our us they them their he she his her is are am
was were be been being do does did done doing have has had having will would shall should can could may might must
of in on at to from for with by about into onto over as and or but if so than then there here just also too very
really actually still already now yet again ever even only what which who whom whose when where why how any some all
such s t d m ll re ve up out off get got getting please hi hello hey thanks thank
"""
#: Words that say little by themselves; two texts of the same other words are taken for the same text.
FUNCTION_WORDS = frozenset(_WORDS.split())

_REWORDED = (
    (r"\bhow do i\b", "how can I"),
    (r"\bhow can i\b", "how do I"),
    (r"\bcan i\b", "could I"),
    (r"\bcan you\b", "could you"),
    (r"\bi want to\b", "I would like to"),
    (r"\bi'd like to\b", "I want to"),
    (r"\bi would like to\b", "I'd like to"),
    (r"\bi need to\b", "I have to"),
    (r"\bwhy is\b", "why's"),
    (r"\bwhat is\b", "what's"),
    (r"\bwhy was\b", "how come"),
    (r"\bcan't\b", "cannot"),
    (r"(?<!\bca)(?<!\bwo)n't\b", " not"),
    (r"\bi'm\b", "I am"),
    (r"\bi am\b", "I'm"),
    (r"\bdo not\b", "don't"),
    (r"\bhas been\b", "was"),
    (r"\bthe\b", "my"),
    (r"\bmy\b", "the"),
    (r"\ba\b", "the"),
)


def content_words(text: str) -> frozenset[str]:
    """What a text is about, roughly: its words without function words and endings; negations stay."""
    plain = text.lower().replace("can't", "can not").replace("n't", " not").replace("cannot", "can not")
    words = re.findall(r"[a-z0-9]+", plain.replace("top-up", "topup").replace("top up", "topup"))
    return frozenset(re.sub(r"(ing|ed|es|s|e)$", "", word) for word in words if word not in FUNCTION_WORDS)


def _case(text: str, rng: np.random.Generator) -> str:
    return (text.upper(), text.lower(), text.title(), text.swapcase())[rng.integers(4)]


def _punctuation(text: str, rng: np.random.Generator) -> str:
    bare = re.sub(r"[^\w\s']", " ", text)
    loud = re.sub(r"[.?!]*\s*$", "!!!", text)
    paused = re.sub(r" ", ", ", text, count=1)
    return (" ".join(bare.split()), loud, f"  {paused} ...", text.replace(" ", "  ") + " ??")[rng.integers(4)]


def _courtesy(text: str, rng: np.random.Generator) -> str:
    return (f"Hi, {text}", f"Hello! {text}", f"{text} Thanks.", f"Please: {text}")[rng.integers(4)]


def _reworded(text: str, rng: np.random.Generator) -> str:
    for place in rng.permutation(len(_REWORDED)):
        pattern, words = _REWORDED[place]
        changed = re.sub(pattern, words, text, count=1, flags=re.IGNORECASE)
        if changed != text:
            return changed
    return _courtesy(text, rng)


def _typo(text: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long:
        return text + "."
    word = words[(place := int(rng.choice(long)))]
    cut = int(rng.integers(1, len(word) - 1))
    swapped = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    words[place] = (swapped, word[:cut] + word[cut + 1 :], word[:cut] + word[cut] + word[cut:])[rng.integers(3)]
    return " ".join(words)


def genuine(a: str, b: str) -> bool:
    """Whether two texts of one class are taken for duplicates that the data hold: 85 % of their content words shared.

    Misspelt words are forgiven. With fewer than seven words all must be shared.
    """
    one, other = content_words(a), content_words(b)
    alone, shared = set(other - one), len(one & other)
    for word in sorted(one - other):
        near = get_close_matches(word, sorted(alone), n=1, cutoff=0.75)
        alone -= set(near)
        shared += len(near)
    return shared >= 0.85 * max(len(one), len(other))


#: Kinds of planted copy of a text.
TEXTS: dict[str, Callable[[str, np.random.Generator], str]] = {
    "case": _case,
    "punctuation": _punctuation,
    "courtesy": _courtesy,
    "reworded": _reworded,
    "one typo": _typo,
}


def _resized(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    share = float(rng.choice([0.4, 0.6, 1.5]))
    return picture.resize((round(picture.width * share), round(picture.height * share)), Image.Resampling.LANCZOS)


def _cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """5 % of the width and 5 % of the height off, divided between the sides by chance."""
    width, height = round(picture.width * 0.95), round(picture.height * 0.95)
    left, top = rng.integers(picture.width - width + 1), rng.integers(picture.height - height + 1)
    return picture.crop((left, top, left + width, top + height))


def _trimmed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """5 % off each of the four sides."""
    across, down = round(picture.width * 0.05), round(picture.height * 0.05)
    return picture.crop((across, down, picture.width - across, picture.height - down))


def _brightened(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(float(rng.choice([0.7, 1.2, 1.4])))


def _unchanged(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture


#: Kinds of planted copy of a picture, and the JPEG quality that it is saved with.
PICTURES: dict[str, tuple[Callable[[Image.Image, np.random.Generator], Image.Image], int]] = {
    "resized": (_resized, 90),
    "re-compressed": (_unchanged, 30),
    "cropped": (_cropped, 90),
    "trimmed": (_trimmed, 90),
    "brightened": (_brightened, 90),
}


def copied(path: Path, kind: str, rng: np.random.Generator) -> bytes:
    """The picture at ``path`` as JPEG with the change of ``kind``, one of `PICTURES`."""
    change, quality = PICTURES[kind]
    with Image.open(path) as picture:
        buffer = io.BytesIO()
        change(picture.convert("RGB"), rng).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
