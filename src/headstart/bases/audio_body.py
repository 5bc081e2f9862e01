"""Encoders of sounds whose states do not depend on what a sound is batched with.

Each is a model of transformers taken apart: its own layers, run on the sound's own length, with padding kept out of
convolutions, norms over time and attention, which the models themselves do not do.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import nn

_UNSEEN = -1e9  # added to the attention on padding; float32's least number would overflow where it is cast to bfloat16


class AudioBody(nn.Module):
    """Sounds to states: a stem from the signal to positions, and layers above it that see the positions alone."""

    stem: nn.Module
    layers: nn.ModuleList
    norm: nn.Module

    def forward(self, signal: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Signal [batch, frames, mels] or [batch, samples], mask [batch, frames] bool -> [batch, positions, width]."""
        return self.above(self.stem(signal, mask), self.kept(mask))

    def above(self, hidden: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """States of the last layer, [batch, positions, width], from those of the stem."""
        unseen = max(_UNSEEN, torch.finfo(hidden.dtype).min)
        mask = (~kept[:, None, None, :]).to(hidden.dtype) * unseen  # [batch, 1, 1, positions], added to attention
        for layer in self.layers:
            out = layer(hidden, mask)
            hidden = out[0] if isinstance(out, tuple) else out
        return torch.as_tensor(self.norm(hidden))

    @abstractmethod
    def kept(self, mask: torch.Tensor) -> torch.Tensor:
        """Which positions are there, [..., positions] bool, by the mask of the signal [..., frames]."""

    def pool(self, hidden: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """States [batch, positions, width] -> [batch, width]: the mean over the positions that are there."""
        weight = kept.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)


class WhisperBody(AudioBody):
    """Whisper's encoder (Radford et al. 2022, arXiv:2212.04356) on the sound's own length instead of 30 s.

    Args:
        encoder: a WhisperEncoder of transformers; two frames of the spectrogram make a position.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.stem, self.layers, self.norm = _WhisperStem(encoder), encoder.layers, encoder.layer_norm

    def kept(self, mask: torch.Tensor) -> torch.Tensor:
        """Every second frame."""
        return mask[..., ::2]


class _WhisperStem(nn.Module):
    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.conv1, self.conv2 = encoder.conv1, encoder.conv2
        self.dropout = nn.Dropout(encoder.dropout)
        self.positions: torch.Tensor
        self.register_buffer("positions", encoder.embed_positions.weight.detach().clone())  # sinusoids, never trained

    def forward(self, signal: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        there = mask.unsqueeze(1).to(signal.dtype)  # [batch, 1, frames]
        x = nn.functional.gelu(self.conv1(signal.transpose(1, 2) * there)) * there  # as where the sound ends there
        x = nn.functional.gelu(self.conv2(x)).transpose(1, 2)  # [batch, positions, width]
        return torch.as_tensor(self.dropout(x + self.positions[: x.shape[1]]))


class Wav2VecBody(AudioBody):
    """wav2vec 2.0 (Baevski et al. 2020, arXiv:2006.11477) or HuBERT (Hsu et al. 2021, arXiv:2106.07447).

    Args:
        model: a Wav2Vec2Model or HubertModel of transformers.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        stem = _WaveStem(model)
        self.stem, self._convolutions = stem, stem.convolutions
        self.layers = model.encoder.layers
        self.norm = model.encoder.layer_norm if model.config.do_stable_layer_norm else nn.Identity()

    def kept(self, mask: torch.Tensor) -> torch.Tensor:
        """The positions whose samples are all there."""
        lengths, most = mask.sum(-1), mask.shape[-1]
        for conv in self._convolutions():
            lengths, most = _shorter(lengths, conv), _shorter(most, conv)
        return torch.arange(most, device=mask.device) < lengths.unsqueeze(-1)


class _WaveStem(nn.Module):
    """Samples to positions: strided convolutions, a projection, and positions by a convolution over time."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        encoder = model.encoder
        self.blocks, self.projection = model.feature_extractor.conv_layers, model.feature_projection
        self.place, self.dropout = encoder.pos_conv_embed, encoder.dropout
        self.norm = nn.Identity() if model.config.do_stable_layer_norm else encoder.layer_norm
        if nn.utils.parametrize.is_parametrized(self.place.conv):  # a plain weight: half the work a step, and exported
            nn.utils.parametrize.remove_parametrizations(self.place.conv, "weight")

    def convolutions(self) -> list[nn.Conv1d]:
        """Those that shorten, in order."""
        return [block.conv for block in self.blocks]

    def forward(self, signal: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden, lengths = signal.unsqueeze(1), mask.sum(1)  # [batch, channels, length], [batch]
        for block in self.blocks:
            lengths = _shorter(lengths, block.conv)
            if isinstance(getattr(block, "layer_norm", None), nn.GroupNorm):
                hidden = block.activation(_over_time(block.conv(hidden), lengths, block.layer_norm))
            else:
                hidden = block(hidden)
        there = (torch.arange(hidden.shape[2], device=mask.device) < lengths[:, None]).unsqueeze(-1).to(hidden.dtype)
        out = self.projection(hidden.transpose(1, 2))
        hidden = (out[0] if isinstance(out, tuple) else out) * there  # [batch, positions, width]
        hidden = hidden + self._places(hidden, there)
        return torch.as_tensor(self.dropout(self.norm(hidden)))

    def _places(self, hidden: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        x, place = hidden, self.place
        if getattr(place, "batch_norm", None) is not None:
            x = place.batch_norm(x.transpose(1, 2)).transpose(1, 2) * there
        return place.activation(place.padding(place.conv(x.transpose(1, 2)))).transpose(1, 2)


def _shorter(length: Any, conv: nn.Conv1d) -> Any:
    """The length, a number or a tensor of them, that an unpadded convolution leaves."""
    return (length - conv.kernel_size[0]) // conv.stride[0] + 1


def _over_time(hidden: torch.Tensor, lengths: torch.Tensor, norm: nn.GroupNorm) -> torch.Tensor:
    """``norm`` with one group a channel, [batch, channels, length], by the mean and variance of what is there."""
    there = (torch.arange(hidden.shape[2], device=hidden.device) < lengths[:, None]).unsqueeze(1)
    x, count = hidden.to(torch.float32), lengths.clamp(min=1).view(-1, 1, 1)
    mean = (x * there).sum(2, keepdim=True) / count
    variance = ((x - mean) ** 2 * there).sum(2, keepdim=True) / count
    out = (x - mean) * torch.rsqrt(variance + norm.eps) * norm.weight[:, None] + norm.bias[:, None]
    return out.to(hidden.dtype)


class SpectrogramBody(AudioBody):
    """The Audio Spectrogram Transformer (Gong et al. 2021, arXiv:2104.01778), which takes one length of sound.

    Its features are what its own classifier was trained on: the mean of the class and the distillation token.

    Args:
        model: an ASTModel of transformers.
        silence: what its extractor puts after a shorter sound.
    """

    def __init__(self, model: Any, silence: float) -> None:
        super().__init__()
        self.stem = _SpectrogramStem(model, silence)
        self.layers, self.norm = model.layers, model.layernorm
        self._positions = model.embeddings.position_embeddings.shape[1]

    def kept(self, mask: torch.Tensor) -> torch.Tensor:
        """All of them, where there is a sound."""
        return mask[..., :1].expand(*mask.shape[:-1], self._positions)

    def pool(self, hidden: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """The mean of the first two tokens."""
        return hidden[:, :2].mean(1)


class _SpectrogramStem(nn.Module):
    def __init__(self, model: Any, silence: float) -> None:
        super().__init__()
        self.embeddings, self._frames, self._silence = model.embeddings, model.config.max_length, silence

    def forward(self, signal: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        signal = torch.where(mask.unsqueeze(-1), signal, torch.full_like(signal, self._silence))
        missing = self._frames - signal.shape[1]
        return torch.as_tensor(self.embeddings(nn.functional.pad(signal, (0, 0, 0, missing), value=self._silence)))
