"""A text base that gives the state of every word, in place of one vector a text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.data.table import Fact
from headstart.errors import BaseError
from headstart.modalities import get
from headstart.modalities.text import TextSpec

if TYPE_CHECKING:
    from headstart.bases.network import Network

#: What of a base's preprocessing makes one vector of the states of its tokens.
_POOLING = ("pooling", "unit", "windows")
_TOLD = Fact(
    "features of the base",
    "one vector a word: the state of its first token",
    "each word is answered for; a text of several windows gives each word in the one that shows most around it",
)


class WordStates(Base):
    """``base``, a text model of transformers, giving the state of each word's first token (Devlin et al. 2019).

    Name, source, licence and weights are the base's, whose network it is: it reads and gives otherwise, which its
    preprocessing says, so features, runtimes and graphs are kept apart from the base's. How the base pools tokens, and
    whether it scales the vector, do not matter to it.

    Features of inputs are `headstart.ragged.Ragged`, a vector a word.
    """

    modality = "text"
    spec: TextSpec
    tokenizer_file: Path

    def __init__(self, base: Base) -> None:
        if base.tokenizer_file is None:
            raise BaseError(f"base {base.identity.name!r} has no tokenizer, so it gives no states of words.")
        self.base, self.identity, self.width = base, base.identity, base.width
        self.spec = replace(base.spec, words=True)
        self.tokenizer_file, self.most_tokens = base.tokenizer_file, base.most_tokens
        self.libraries, self.learnt = base.libraries, base.learnt
        self.facts = (*base.facts, _TOLD)

    def preprocessing(self) -> str:
        """The base's without its pooling."""
        inner = json.loads(self.base.preprocessing())
        kept = {name: value for name, value in inner.items() if name not in _POOLING}
        return json.dumps({**kept, **self.spec.to_dict()}, sort_keys=True)

    def network(self) -> Network:
        """The base's, read out at the words."""
        return self._read_out(self.base.network())

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        return self._read_out(self.base.untrained())

    def _read_out(self, network: Network) -> Network:
        from headstart.bases.network import TextNetwork, WordNetwork

        if not isinstance(network, TextNetwork):
            raise BaseError(_refusal(self.base))
        return WordNetwork(network.body).eval()


def word_states(base: Base) -> Base:
    """``base`` giving a vector a word; what an earlier run changed of it stays laid over it.

    Raises:
        BaseError: it takes no texts, or it is a graph, which gives one vector a text.
    """
    if isinstance(base, AdaptedBase):
        return _below(base, word_states(base.base))
    if not get(base.modality).tokenised:
        noun = get(base.modality).plural
        raise BaseError(f"base {base.identity.name!r} takes {noun}, which have no words; choose a base for texts.")
    if base.spec.words:
        return base
    if not base.trainable:
        raise BaseError(_refusal(base))
    return WordStates(base)


def text_vectors(base: Base) -> Base:
    """The inverse of `word_states`: one vector a text; any other base as it is."""
    if isinstance(base, AdaptedBase):
        return _below(base, text_vectors(base.base))
    if not isinstance(base, WordStates):
        return base
    inner = base.base
    inner.identity, inner.learnt = base.identity, base.learnt  # as the one that reopened it has named it
    inner.facts = tuple(fact for fact in base.facts if fact != _TOLD)
    inner.spec = replace(inner.spec, max_tokens=base.spec.max_tokens)
    return inner


def _below(base: AdaptedBase, inner: Base) -> Base:
    """The same changes of the same weights over ``inner``: changes come last, so that a bundle keeps its root."""
    if inner is base.base:
        return base
    made = AdaptedBase(inner, base.changes)
    made.identity, made.learnt = base.identity, base.learnt
    told = tuple(fact for fact in base.facts if fact != _TOLD)
    made.facts = (*told, _TOLD) if inner.spec.words else told
    return made


def _refusal(base: Base) -> str:
    return (
        f"base {base.identity.name!r} gives one vector a text and no states of its words, which a label for every word "
        f"needs; take a text model of transformers, such as all-MiniLM-L6-v2."
    )
