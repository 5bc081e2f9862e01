"""Small networks with random weights of many architectures, and batches for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import nn

from headstart.bases.audio_body import SpectrogramBody, Wav2VecBody, WhisperBody
from headstart.bases.network import AudioNetwork, ImageNetwork, Network, TextNetwork
from headstart.bases.pooled import Pooled
from headstart.bases.stages import Stages
from headstart.modalities.audio import AudioSpec
from headstart.modalities.image import ImageSpec
from tests.bases.checkpoints import AUDIO


@dataclass(frozen=True)
class Case:
    network: Network
    stages: Stages
    batch: tuple[torch.Tensor, ...]  # not of the example's batch size or length; texts padded


def image_network(body: nn.Module, size: int) -> ImageNetwork:
    spec = ImageSpec(size=size, resize=size, interpolation="bilinear", mean=(0.5,) * 3, std=(0.5,) * 3)
    return ImageNetwork(body, spec)


def _timm(architecture: str, size: int = 64, **arguments: Any) -> Callable[[], Network]:
    def make() -> Network:
        import timm

        return image_network(timm.create_model(architecture, num_classes=0, **arguments), size)

    return make


def _transformer(kind: str, **settings: Any) -> Callable[[], Network]:
    def make() -> Network:
        import transformers

        config = getattr(transformers, f"{kind}Config")(**settings)
        body = getattr(transformers, f"{kind}Model")(config)
        return image_network(Pooled(body), 32) if "image_size" in settings else TextNetwork(body, "mean")

    return make


def _audio(kind: str) -> Callable[[], Network]:
    def make() -> Network:
        import transformers

        name, settings, _ = AUDIO[kind]
        model = getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(**settings))
        if kind == "whisper":
            return AudioNetwork(WhisperBody(model.encoder), AudioSpec("log_mel", longest=32_000))
        if kind == "ast":
            return AudioNetwork(SpectrogramBody(model, 0.5), AudioSpec("fbank", longest=15_600, mels=32))
        return AudioNetwork(Wav2VecBody(model), AudioSpec("waveform", longest=16_000))

    return make


def _vgg() -> Network:
    from timm.models.vgg import VGG

    layers = [8, "M", 16, "M", 24, 24, "M", 32, 32, "M", 32, 32, "M"]  # vgg11, narrow
    return image_network(VGG(layers, num_classes=0, mlp_ratio=0.01), 64)


_LAYERS = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
_TEXT = {**_LAYERS, "vocab_size": 40, "max_position_embeddings": 32}
_DEBERTA = {**_TEXT, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
_CONV = {"embedding_size": 8, "hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1], "image_size": 32}

MAKERS: dict[str, Callable[[], Network]] = {
    "resnet": _timm("resnet10t"),
    "vgg": _vgg,
    "inception": _timm("inception_v3", 80),
    "mobilenetv3": _timm("mobilenetv3_small_050"),
    "mobilenetv2": _timm("mobilenetv2_050"),
    "efficientnet_lite": _timm("efficientnet_lite0"),
    "convnext": _timm("convnext_atto"),
    "densenet": _timm("densenet121", block_config=(2, 2, 2, 2)),
    "regnet": _timm("regnetx_002"),
    "vit": _timm("vit_tiny_patch16_224", img_size=64, depth=4),
    "vit_rotary": _timm("vit_small_patch16_dinov3", img_size=64, depth=3, embed_dim=48, num_heads=2),
    "swin": _timm(
        "swin_tiny_patch4_window7_224", img_size=64, embed_dim=8, depths=(1, 2, 1), num_heads=(1, 2, 2), window_size=4
    ),
    "tf_vit": _transformer("ViT", **_LAYERS, image_size=32, patch_size=8),
    "tf_convnext": _transformer("ConvNext", **_CONV),
    "tf_swin": _transformer(
        "Swin", image_size=32, patch_size=2, embed_dim=8, depths=[1, 2, 1], num_heads=[1, 1, 2], window_size=4
    ),
    "bert": _transformer("Bert", **_TEXT),
    "roberta": _transformer("Roberta", **_TEXT),
    "distilbert": _transformer(
        "DistilBert", vocab_size=40, dim=16, n_layers=3, n_heads=2, hidden_dim=32, max_position_embeddings=32
    ),
    "deberta": _transformer("Deberta", **_DEBERTA),
    "deberta_v2": _transformer(
        "DebertaV2", **_DEBERTA, norm_rel_ebd="layer_norm", conv_kernel_size=3, conv_act="gelu", position_buckets=8
    ),
    "modernbert": _transformer("ModernBert", **_TEXT, pad_token_id=0),
    "albert": _transformer("Albert", **_TEXT, embedding_size=8),
    "gpt2": _transformer("GPT2", vocab_size=40, n_embd=16, n_layer=3, n_head=2, n_positions=32),
    "llama": _transformer("Llama", **_TEXT, num_key_value_heads=1),
    **{kind: _audio(kind) for kind in AUDIO},
}


@cache
def case(name: str) -> Case:
    """The network ``name``, its stages, and a batch; made once, as the tests leave it unchanged."""
    torch.manual_seed(0)
    network = MAKERS[name]().eval()
    with torch.no_grad():
        for parameter in network.parameters():  # so that no block is next to nothing, as ConvNeXt's are at first
            if parameter.ndim == 1:
                parameter.add_(torch.rand_like(parameter) * 0.2 + 0.1)
    return Case(network, Stages(network), batch_for(network))


def batch_for(network: Network) -> tuple[torch.Tensor, ...]:
    if isinstance(network, ImageNetwork):
        return (torch.randint(0, 256, (3, network.size, network.size, 3), dtype=torch.uint8),)
    if isinstance(network, AudioNetwork):
        return network.sample()
    mask = torch.tensor([[1] * 11, [1] * 6 + [0] * 5, [1] * 9 + [0] * 2, [1] * 11])
    return torch.randint(3, 40, (4, 11)) * mask, mask
