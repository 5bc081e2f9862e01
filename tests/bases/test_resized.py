from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.changes import Changes
from headstart.bases.refitted import with_channels, with_size
from headstart.bases.runtime import choose
from headstart.bases.stages import Stages
from headstart.errors import BaseError, SettingError
from headstart.modalities.image import ImageSpec
from tests.bases.checkpoints import bert_folder, timm_folder, vit_folder


def spec_of(base: Base) -> ImageSpec:
    assert isinstance(base.spec, ImageSpec)
    return base.spec


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("bases")
    small = {"model_args": {"img_size": 64, "patch_size": 16, "depth": 2, "embed_dim": 24, "num_heads": 2}}
    made = {
        "resnet": timm_folder(root / "resnet"),
        "vit": _timm_vit(root / "vit", small["model_args"]),
        "transformers": vit_folder(root / "hf"),
        "fixed": _timm_fixed(root / "fixed"),
        "text": bert_folder(root / "text"),
    }
    return {name: str(path) for name, path in made.items()}


def _timm_vit(folder: Path, arguments: dict[str, int]) -> Path:
    return _saved(folder, "vit_tiny_patch16_224", arguments)


def _timm_fixed(folder: Path) -> Path:
    return _saved(folder, "cait_xxs24_224", {"img_size": 64, "depth": 1, "depth_token_only": 1, "embed_dim": 24})


def _saved(folder: Path, architecture: str, arguments: dict[str, int]) -> Path:
    import timm
    from safetensors.torch import save_file

    timm_folder(folder)
    torch.manual_seed(0)
    model = timm.create_model(architecture, pretrained=False, num_classes=7, **arguments)
    save_file(model.state_dict(), folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    own = {"architecture": architecture, "model_args": arguments, "num_features": model.num_features}
    (folder / "config.json").write_text(json.dumps({**config, **own}))
    return folder


@pytest.mark.parametrize(
    ("name", "size", "how"),
    [
        ("resnet", 96, "its layers take any size"),
        ("resnet", 51, "its layers take any size"),
        ("vit", 128, "position embeddings interpolated from 4×4 to 8×8"),
        ("vit", 32, "position embeddings interpolated from 4×4 to 2×2"),
        ("transformers", 64, "position embeddings interpolated from 4×4 to 8×8"),
    ],
)
def test_another_size_is_taken_and_said(name: str, size: int, how: str, folders: dict[str, str]) -> None:
    base, resized = open_base(folders[name], "image"), open_base(folders[name], "image", size=size)
    spec, network = spec_of(resized), resized.network()
    assert spec.size == size
    assert spec.resize == round(spec_of(base).resize * size / spec_of(base).size)
    assert [f"{fact.what} {fact.value}: {fact.reason}" for fact in resized.facts] == [
        f"size {size} rather than {spec_of(base).size} pixels a side: asked for; {how}"
    ]
    batch = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8))
    with torch.no_grad():
        assert network(batch).shape == (2, base.width)
        torch.testing.assert_close(network(batch), resized.network()(batch))  # loaded a second time, the same
        assert resized.untrained()(batch).shape == (2, base.width)
    assert Stages(network).cuts == Stages(base.network()).cuts
    assert resized.identity.weights != base.identity.weights


@pytest.mark.parametrize("name", ["vit", "transformers"])
def test_a_picture_enlarged_looks_to_interpolated_positions_as_it_did(name: str, folders: dict[str, str]) -> None:
    own = spec_of(open_base(folders[name], "image")).size
    smooth = np.linspace(0, 255, own, dtype=np.uint8)
    small = torch.from_numpy(np.broadcast_to(smooth[:, None, None], (1, own, own, 3)).copy())
    large = small.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    other = 255 - large
    with torch.no_grad():
        expected = open_base(folders[name], "image").network()(small)
        network = open_base(folders[name], "image", size=2 * own).network()
        assert (network(large) - expected).norm() < 0.5 * (network(other) - expected).norm()


def test_runtimes_keep_parity_at_another_size(folders: dict[str, str]) -> None:
    base = open_base(folders["transformers"], "image", size=64)
    choice = choose(base.network(), base, (np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8),), 1.0)
    assert {m.name: m.left_out for m in choice.tried}["torch-float32-folded"] == ""
    assert {m.name: m.left_out for m in choice.tried}["onnxruntime"] == ""


def test_its_own_size_is_the_base_itself(folders: dict[str, str]) -> None:
    assert open_base(folders["vit"], "image", size=64).identity == open_base(folders["vit"], "image").identity


@pytest.mark.parametrize(
    ("name", "size", "error", "words"),
    [
        ("vit", 72, BaseError, "size 72 is no multiple of 16.*take 64 or 80"),
        ("transformers", 36, BaseError, "size 36 is no multiple of 8.*take 32 or 40"),
        ("fixed", 96, BaseError, "cannot take pictures of 96 pixels a side .*; it takes 64"),
        ("resnet", 4, SettingError, "from 16 to 2048"),
        ("resnet", 5000, SettingError, "from 16 to 2048"),
    ],
)
def test_a_size_that_cannot_be_is_refused_in_one_line(
    name: str, size: int, error: type[Exception], words: str, folders: dict[str, str]
) -> None:
    with pytest.raises(error, match=words) as caught:
        open_base(folders[name], "image", size=size)
    assert "\n" not in str(caught.value)
    assert not re.search(r"\.\.$", str(caught.value))


def test_a_size_for_texts_is_refused(folders: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="takes no pictures"):
        open_base(folders["text"], "text", size=64)


def test_what_was_changed_before_is_kept_above_the_new_inputs(folders: dict[str, str]) -> None:
    root = open_base(folders["vit"], "image")
    state = root.network().state_dict()
    changed = {name: state[name].numpy() * 1.5 for name in ("body.pos_embed", "body.patch_embed.proj.weight")}
    adapted = AdaptedBase(root, Changes(changed, total=1))
    moved = with_channels(with_size(adapted, 128), 5)
    assert isinstance(moved, AdaptedBase)
    assert not isinstance(moved.base, AdaptedBase)
    found, plain = moved.network().state_dict(), with_channels(with_size(root, 128), 5).network().state_dict()
    for name in plain:
        factor = 1.5 if name in changed else 1.0
        torch.testing.assert_close(found[name], plain[name] * factor)
