"""What every modality must do: keys by content, decoding to one form, and reasons for what it cannot read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.errors import HeadstartError, SettingError
from headstart.modalities import Modality, get, modalities
from headstart.modalities.audio import AudioSpec
from headstart.modalities.image import ImageSpec
from headstart.modalities.text import TextSpec
from headstart.modalities.types import Unreadable

SPECS: dict[str, Any] = {"image": ImageSpec(8, 8, mean=(0.5,) * 3), "text": TextSpec(32), "audio": AudioSpec("log_mel")}
GOOD: dict[str, tuple[Any, Any]] = {
    "image": (np.zeros((9, 12, 3), np.uint8), np.full((9, 12, 3), 7, np.uint8)),
    "text": ("a cat", "a dog"),
    "audio": ((np.zeros(900, np.float32), 8_000), (np.linspace(0, 1, 900, dtype=np.float32), 8_000)),
}


@pytest.fixture(params=modalities())
def modality(request: pytest.FixtureRequest) -> Modality:
    return get(request.param)


def test_key_is_a_sha256_of_the_content(modality: Modality) -> None:
    one, other = GOOD[modality.name]
    assert len(modality.content_key(one)) == 64
    assert int(modality.content_key(one), 16) >= 0
    assert modality.content_key(one) == modality.content_key(one)
    assert modality.content_key(one) != modality.content_key(other)
    assert isinstance(modality.content(one), bytes)


def test_decoding_twice_gives_the_same(modality: Modality) -> None:
    one, other = GOOD[modality.name]
    spec = SPECS[modality.name]
    assert np.array_equal(modality.decode(one, spec), modality.decode(one, spec))
    assert not np.array_equal(modality.decode(one, spec), modality.decode(other, spec))


@pytest.mark.parametrize("bad", [None, 3, float("nan"), {"a": 1}, ["x"]])
def test_other_types_are_unreadable(modality: Modality, bad: Any) -> None:
    for read in (lambda: modality.decode(bad, SPECS[modality.name]), lambda: modality.content_key(bad)):
        with pytest.raises(Unreadable, match=type(bad).__name__) as caught:
            read()
        assert isinstance(caught.value, HeadstartError)
        assert "\n" not in str(caught.value)


def test_spec_survives_a_dict(modality: Modality) -> None:
    spec = SPECS[modality.name]
    assert type(spec).from_dict(spec.to_dict()) == spec


def test_unknown_modality_is_named_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r"'imge'.*image, text.*Did you mean 'image'"):
        get("imge")
