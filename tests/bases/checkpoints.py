"""Tiny checkpoints with random weights, written as their libraries write them."""

from __future__ import annotations

import json
from pathlib import Path

import torch


def timm_folder(folder: Path, architecture: str = "resnet10t", **changes: object) -> Path:
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = timm.create_model(architecture, pretrained=False, num_classes=7)
    folder.mkdir(parents=True)
    save_file(model.state_dict(), folder / "model.safetensors")
    config = {"architecture": architecture, "num_classes": 7, "num_features": model.num_features}
    config["pretrained_cfg"] = {
        "input_size": [3, 64, 64],
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "crop_pct": 0.9,
        "interpolation": "bicubic",
    }
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    return folder


def tokenizer_file(folder: Path) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers

    sentence = "the cat dog sat ran on a mat log is was my card parcel late lost new old"
    words = ["[PAD]", "[UNK]", *sentence.split()]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def bert_folder(folder: Path) -> Path:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer_file(folder)
    return folder


def decoder_folder(folder: Path) -> Path:
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(0)
    GPT2Model(GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=2, n_positions=32)).save_pretrained(folder)
    tokenizer_file(folder)
    return folder


def t5_folder(folder: Path) -> Path:
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, n_positions=32, pad_token_id=0
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer_file(folder)
    return folder


def vit_folder(folder: Path) -> Path:
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=8,
    )
    ViTModel(config).save_pretrained(folder)
    processor = {
        "size": {"height": 32, "width": 32},
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "resample": 2,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def audio_folder(folder: Path, kind: str = "whisper", **changes: object) -> Path:
    """A tiny "whisper", "wav2vec2", "wav2vec2-stable", "hubert" or "ast", its norms no longer the identity."""
    import transformers

    torch.manual_seed(0)
    name, settings, processor = AUDIO[kind]
    model = getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**{**settings, **changes}))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.rand_like(parameter) * 0.2 + 0.1)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


_LAYERS = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
_WAVE = {
    **_LAYERS,
    "conv_dim": [8, 8, 8],
    "conv_kernel": [10, 3, 2],
    "conv_stride": [5, 2, 2],
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
_STABLE = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
_WHISPER = {
    "d_model": 16,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 32,
    "vocab_size": 40,
    "max_source_positions": 100,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
_WAVE_EXTRACTOR = {"sampling_rate": 16000, "do_normalize": True, "feature_size": 1}
#: Name in transformers, configuration, and preprocessor_config.json.
AUDIO: dict[str, tuple[str, dict[str, object], dict[str, object]]] = {
    "whisper": ("Whisper", _WHISPER, {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "n_fft": 400}),
    "wav2vec2": ("Wav2Vec2", _WAVE, _WAVE_EXTRACTOR),
    "wav2vec2-stable": ("Wav2Vec2", {**_WAVE, **_STABLE}, {**_WAVE_EXTRACTOR, "do_normalize": False}),
    "hubert": ("Hubert", _WAVE, _WAVE_EXTRACTOR),
    "ast": (
        "AST",
        {**_LAYERS, "max_length": 96, "num_mel_bins": 32},
        {"num_mel_bins": 32, "max_length": 96, "mean": -4.0, "std": 4.5, "do_normalize": True},
    ),
}
