"""Augmentation of texts: words left out, typos and, where asked for, damage as after deployment."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from headstart.errors import SettingError
from headstart.modalities.damage import STRENGTHS
from headstart.modalities.text.damage import KINDS, damaged_text, with_typos
from headstart.modalities.text.decode import decoded

_DAMAGE_SHARE = 0.5


@dataclass(frozen=True)
class TextAugmentation:
    """How a text is changed at random, each time it is seen.

    Attributes:
        drop: probability, 0 to below 1, that a word is left out (Wei & Zou 2019, "random deletion").
        typos: probability, 0..1, that a word gets a typo.
        damage: one of typos, changed case and truncation, of strength 1 to 5, with probability 1/2.

    Raises:
        SettingError: a value that is not allowed.
    """

    drop: float = 0.1
    typos: float = 0.0
    damage: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.drop < 1 or not 0 <= self.typos <= 1:
            raise SettingError(
                f"drop {self.drop} and typos {self.typos}: allowed are shares of the words, from 0, drop below 1."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**values)


def augmented_text(text: str, how: TextAugmentation, seed: int) -> str:
    """``text`` changed at random as ``how`` says, never blank; the same for the same ``seed``.

    Words are what white space parts: of a text without any, as in Chinese, nothing is left out.

    Raises:
        Unreadable: as `decoded`.
    """
    rng = np.random.default_rng(seed)
    changed = with_typos(_thinned(decoded(text), how.drop, rng), how.typos, rng)
    if how.damage and rng.random() < _DAMAGE_SHARE:
        kind, strength = KINDS[rng.integers(len(KINDS))], int(rng.choice(STRENGTHS))
        changed = damaged_text(changed, kind, strength, int(rng.integers(2**32)))
    return changed


def _thinned(text: str, drop: float, rng: np.random.Generator) -> str:
    words = re.findall(r"\S+\s*", text)
    kept = rng.random(len(words)) >= drop
    kept[rng.integers(len(words))] |= not kept.any()  # one at random rather than none
    return text if kept.all() else "".join(word for word, keep in zip(words, kept, strict=True) if keep).strip()
