"""A base's weights as a torch module: prepared batch in, pooled features out."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import nn

from headstart.bases.windowed import gathered, over_windows
from headstart.modalities.audio.front_end import AudioSpec, example, sample
from headstart.modalities.image import ImageSpec

if TYPE_CHECKING:
    from headstart.bases.audio_body import AudioBody


class Network(nn.Module):
    """A base without its head; the body may be cast to another dtype, input and output stay as documented."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    @property
    def dtype(self) -> torch.dtype:
        """The dtype the body computes in."""
        return next((p.dtype for p in self.body.parameters() if p.is_floating_point()), torch.float32)

    #: Whether every input has the same shape, so that what lower layers give can be stood in for by zeros.
    fixed = True

    @abstractmethod
    def example(self) -> tuple[torch.Tensor, ...]:
        """A smallest valid batch, for tracing."""

    def sample(self) -> tuple[torch.Tensor, ...]:
        """Three inputs that differ from one another and from the example, of unlike lengths where there are such."""
        random, batch = torch.Generator().manual_seed(0), self.example()
        return tuple(torch.rand((3, *one.shape[1:]), generator=random).to(one.dtype) for one in batch)

    def beside(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """What upper layers need besides the states of lower ones, a mask of their positions last; () for nothing."""
        return () if self.fixed else batch

    def above(self, hidden: torch.Tensor, *beside: torch.Tensor) -> torch.Tensor:
        """The forward pass where the layers that give ``hidden`` stand still, so that inputs are not looked at."""
        if not self.fixed:
            return torch.as_tensor(self(*beside))
        nothing = [torch.zeros((), dtype=one.dtype, device=hidden.device) for one in self.example()]
        shapes = [(len(hidden), *one.shape[1:]) for one in self.example()]
        return torch.as_tensor(self(*(one.expand(shape) for one, shape in zip(nothing, shapes, strict=True))))

    def averaged(self, hidden: torch.Tensor, batch: tuple[torch.Tensor, ...], channels: int) -> torch.Tensor:
        """What a layer gives, [batch, …] float32, averaged to [batch, width]; ``channels`` is the axis of the width."""
        beside = self.beside(batch)
        if beside:
            return pool(hidden, beside[-1], "mean")
        axes = [axis for axis in range(1, hidden.ndim) if axis != channels]
        return hidden.mean(axes) if axes else hidden


class ImageNetwork(Network):
    """Pictures in, features out.

    ``forward(pixels)``: pixels [batch, height, width, channels] uint8 -> [batch, width] float32; channels are 3 unless
    the preprocessing says otherwise.
    """

    def __init__(self, body: nn.Module, spec: ImageSpec) -> None:
        super().__init__(body)
        self.size, self.channels = spec.size, spec.channels
        self.mean, self.scale = torch.tensor(spec.mean) * 255, 1 / (torch.tensor(spec.std) * 255)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalise and run the body."""
        mean, scale = self.mean.to(pixels.device), self.scale.to(pixels.device)
        x = (pixels.to(torch.float32) - mean) * scale  # [batch, height, width, channels]
        x = x.to(self.dtype).permute(0, 3, 1, 2)  # [batch, channels, height, width], channels last in memory
        out: torch.Tensor = self.body(x)
        return out.to(torch.float32)

    def example(self) -> tuple[torch.Tensor, ...]:
        """Two grey pictures."""
        return (torch.full((2, self.size, self.size, self.channels), 128, dtype=torch.uint8),)

    def sample(self) -> tuple[torch.Tensor, ...]:
        """Noise."""
        shape, random = (3, self.size, self.size, self.channels), torch.Generator().manual_seed(0)
        return (torch.randint(0, 256, shape, generator=random, dtype=torch.uint8),)

    def above(self, hidden: torch.Tensor, *beside: torch.Tensor) -> torch.Tensor:
        """See `Network.above`; the pictures are zeros of one pixel's memory."""
        nothing = torch.zeros((), dtype=self.dtype, device=hidden.device)
        out: torch.Tensor = self.body(nothing.expand((len(hidden), self.channels, self.size, self.size)))
        return out.to(torch.float32)


class TextNetwork(Network):
    """Token ids in, features out.

    ``forward(ids, mask)``: both [batch, tokens] int64, mask 1 on tokens and 0 on padding -> [batch, width] float32; or
    both [batch, windows, tokens], of texts that are read in windows: the mean of their features.

    Args:
        body: a transformers model whose output has ``last_hidden_state``.
        pooling: "mean" over tokens, "cls" (first token), "last" (last token) or "max".
        unit: whether features are scaled to length 1, as sentence encoders that compare by cosine were trained to be.
    """

    fixed = False

    def __init__(self, body: nn.Module, pooling: str, unit: bool = False) -> None:
        super().__init__(body)
        self.pooling, self.unit = pooling, unit

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Run the body and pool over the tokens."""
        return over_windows(self._pooled, ids, mask)

    def _pooled(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.body(input_ids=ids, attention_mask=mask).last_hidden_state.to(torch.float32)
        pooled = pool(hidden, mask, self.pooling)
        return nn.functional.normalize(pooled, dim=1) if self.unit else pooled

    def example(self) -> tuple[torch.Tensor, ...]:
        """Two texts of eight tokens."""
        ids = torch.ones((2, 8), dtype=torch.int64)
        return ids, torch.ones_like(ids)

    def sample(self) -> tuple[torch.Tensor, ...]:
        """Three texts of seven tokens, the last padded."""
        vocabulary = int(getattr(getattr(self.body, "config", None), "vocab_size", 2))
        mask = torch.ones((3, 7), dtype=torch.int64)
        mask[2, 4:] = 0
        return torch.randint(0, vocabulary, (3, 7), generator=torch.Generator().manual_seed(0)) * mask, mask


class WordNetwork(Network):
    """Token ids in, the states of words out.

    ``forward(ids, mask, words)``: ids and mask as `TextNetwork` takes them; words [batch(, windows), most words] int64,
    the place of each word's first token in its text or window, -1 where there are no more words, and -2 for a word that
    has no token -> [all words, width] float32, in the order of texts, windows and words; zeros for a word at -2.

    Args:
        body: a transformers model whose output has ``last_hidden_state``.
    """

    fixed = False

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Run the body and take the states of the words' tokens."""
        own, kept = gathered(ids, mask), gathered(mask, mask)
        hidden = self.body(input_ids=own, attention_mask=kept).last_hidden_state.to(torch.float32)
        return _at(hidden, gathered(words, mask))

    def beside(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """Ids and words, and the mask last."""
        ids, mask, words = batch
        return ids, words, mask

    def above(self, hidden: torch.Tensor, *beside: torch.Tensor) -> torch.Tensor:
        """See `Network.above`."""
        ids, words, mask = beside
        return torch.as_tensor(self(ids, mask, words))

    def averaged(self, hidden: torch.Tensor, batch: tuple[torch.Tensor, ...], channels: int) -> torch.Tensor:
        """What a layer gives for the words, [all words, width]."""
        _, mask, words = batch
        return _at(hidden, gathered(words, mask))

    def example(self) -> tuple[torch.Tensor, ...]:
        """Two texts of eight tokens, with unlike numbers of words."""
        ids = torch.ones((2, 8), dtype=torch.int64)
        return ids, torch.ones_like(ids), torch.tensor([[1, 3, 4, 6], [2, 5, -1, -1]])

    def sample(self) -> tuple[torch.Tensor, ...]:
        """Three texts of seven tokens, the last padded, one of whose words has no token."""
        vocabulary = int(getattr(getattr(self.body, "config", None), "vocab_size", 2))
        mask = torch.ones((3, 7), dtype=torch.int64)
        mask[2, 4:] = 0
        ids = torch.randint(0, vocabulary, (3, 7), generator=torch.Generator().manual_seed(0)) * mask
        return ids, mask, torch.tensor([[0, 2, 5], [6, -2, -1], [3, -1, -1]])


def _at(hidden: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Of states [rows, tokens, width] those at ``words`` [rows, most words], see `WordNetwork`."""
    rows, columns = (words != -1).nonzero(as_tuple=True)
    places = words[rows, columns]
    found = hidden[rows, places.clamp(min=0)]
    return torch.where((places >= 0).unsqueeze(1), found, torch.zeros_like(found))


class AudioNetwork(Network):
    """Sounds in, features out.

    ``forward(signal, mask)``: signal [batch, frames, mels] or, of waveforms, [batch, samples] float32, mask
    [batch, frames] bool, true where there is sound -> [batch, width] float32; or both with an axis of windows after the
    batch: the mean of their features. A sound's features do not depend on what it is batched with.
    """

    body: AudioBody
    fixed = False

    def __init__(self, body: AudioBody, spec: AudioSpec) -> None:
        super().__init__(body)
        self._spec = spec

    def forward(self, signal: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Run the body and pool over the positions."""

        def run(signal: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return self.body.pool(self.body(signal.to(self.dtype), mask).to(torch.float32), self.body.kept(mask))

        return over_windows(run, signal, mask)

    def above(self, hidden: torch.Tensor, *beside: torch.Tensor) -> torch.Tensor:
        """`forward` from what the stem gives, or what any of its layers takes.

        Args:
            hidden: [batch(, windows), positions, width].
            beside: [batch(, windows), positions] bool, which positions are there.
        """

        def run(hidden: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
            return self.body.pool(self.body.above(hidden, kept).to(torch.float32), kept)

        return over_windows(run, hidden, beside[0])

    def beside(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """Which of the body's positions are there, [batch(, windows), positions] bool, by the mask of the signal."""
        return (self.body.kept(batch[1]),)

    def example(self) -> tuple[torch.Tensor, ...]:
        """Two short sounds."""
        return tuple(torch.from_numpy(one) for one in example(self._spec))

    def sample(self) -> tuple[torch.Tensor, ...]:
        """Three sounds of another length, one of them shorter than the others."""
        return tuple(torch.from_numpy(one) for one in sample(self._spec))


def pool(hidden: torch.Tensor, mask: torch.Tensor, how: str) -> torch.Tensor:
    """Token states [batch, tokens, width] and mask [batch, tokens] -> one vector a text [batch, width]."""
    if how == "cls":
        return hidden[:, 0]
    if how == "last":
        last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(1)  # padding may be on either side
        return hidden[torch.arange(len(hidden), device=hidden.device), last]
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    if how == "max":
        return hidden.masked_fill(weight == 0, float("-inf")).amax(1)
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)
