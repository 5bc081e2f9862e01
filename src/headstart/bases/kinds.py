"""What a checkpoint takes and which library built it, as its configuration files tell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.bases.checks import read_json
from headstart.errors import BaseError

#: Model types of transformers that take audio and are read.
AUDIO = ("whisper", "wav2vec2", "hubert", "audio-spectrogram-transformer")
# How others begin that take audio; more are known by the sampling rate in their preprocessor's configuration.
_OTHER_AUDIO = ("wav2vec2", "wavlm", "clap", "data2vec-audio", "unispeech", "sew")


@dataclass(frozen=True)
class Kind:
    """What a folder holds, as far as its small files tell.

    Attributes:
        config: config.json.
        library: "timm" or "transformers".
        modality: the name of one.
    """

    config: dict[str, Any]
    library: str
    modality: str


def kind_of(folder: Path, name: str) -> Kind:
    """The kind of the checkpoint in ``folder``; its weights need not be there.

    Raises:
        BaseError: config.json is missing or no JSON, it is but adapters, it takes audio and is of no family that is
            read, or what belongs to its inputs is missing.
    """
    if (folder / "adapter_config.json").exists():  # transformers would load the base that it names from elsewhere
        raise BaseError(
            f"base {name!r} holds adapters of PEFT beside another base; merge them first (merge_and_unload), and save "
            f"the whole."
        )
    config = _config(folder, name)
    if "architecture" in config:
        return Kind(config, "timm", "image")
    processor = read_json(folder / "preprocessor_config.json")
    kind = str(config.get("model_type", "unknown"))
    if kind in AUDIO:
        return Kind(config, "transformers", "audio")
    if kind.startswith(_OTHER_AUDIO) or "sampling_rate" in (processor or {}):
        raise BaseError(
            f"base {name!r} takes audio (model_type {kind}), and headstart reads {', '.join(AUDIO)}; choose a base of "
            f"one of these, or the embedded 'whisper-tiny.en'."
        )
    if "vision_config" in config:
        raise BaseError(
            f"base {name!r} is a model of pictures and texts in one (model_type {kind}), which headstart does not take "
            f"apart; for pictures choose a timm name, such as 'vit_base_patch16_clip_224.openai'."
        )
    if (folder / "tokenizer.json").exists():
        return Kind(config, "transformers", "text")
    if processor is not None:
        return Kind(config, "transformers", "image")
    raise BaseError(
        f"base {name!r} has neither tokenizer.json (text) nor preprocessor_config.json (image); add the one that "
        f"belongs to its weights (of older tokenizers, AutoTokenizer.from_pretrained(…).save_pretrained(…) makes it)."
    )


def _config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.exists():
        raise BaseError(
            f"no config.json in {folder} (base {name!r}); a base folder holds config.json and weights "
            f"(*.safetensors), as save_pretrained writes them."
        )
    config = read_json(path)
    if config is None:
        raise BaseError(f"config.json of base {name!r} is no readable JSON object; download it again.")
    return config
