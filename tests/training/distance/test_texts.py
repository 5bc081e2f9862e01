"""Fragmentation by hand; the masked-token loss of heads that are known."""

import math

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForMaskedLM

from headstart.bases.catalogue import open_base
from headstart.bases.folder import open_folder
from headstart.errors import BaseError
from headstart.training.distance.fragmentation import fragmentation
from headstart.training.distance.masked_tokens import masked_token_loss
from tests.bases.checkpoints import bert_folder

WORDS = ["[PAD]", "[UNK]", "[MASK]", "cat", "dog", "sat", "ran"]


def masked_folder(folder, favourite=None, words=WORDS):
    """A BERT with a masked-language head that foresees nothing, or ``favourite`` always."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    model = BertForMaskedLM(config)
    with torch.no_grad():
        model.cls.predictions.transform.LayerNorm.weight.zero_()
        model.cls.predictions.transform.LayerNorm.bias.zero_()
        if favourite:
            model.cls.predictions.bias[WORDS.index(favourite)] = 50
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return open_folder(folder)


def test_a_head_that_knows_nothing_gives_one_and_one_that_knows_gives_zero(tmp_path):
    texts = ["cat cat cat cat", "cat", "cat cat"] * 10
    assert masked_token_loss(masked_folder(tmp_path / "none"), texts).value == pytest.approx(1, abs=1e-4)
    knows = masked_folder(tmp_path / "cat", "cat")
    assert masked_token_loss(knows, texts).value == pytest.approx(0, abs=1e-4)
    wrong = masked_token_loss(knows, ["dog sat ran dog"]).value
    assert wrong == pytest.approx(50 / math.log(7), rel=1e-3)


def test_a_share_of_the_tokens_is_hidden_the_same_ones_each_time(tmp_path):
    """Of twenty words 15 % are three, and one of one: losses are quarters of the whole; padding is never hidden."""
    knows = masked_folder(tmp_path / "cat", "cat")
    texts = [" ".join(["cat", "dog"] * 10), "cat"]
    found = [masked_token_loss(knows, texts, seed).value for seed in range(8)]
    assert found[0] == masked_token_loss(knows, texts, 0).value
    missed = np.array(found) * math.log(7) / 50 * 4
    assert np.allclose(missed, np.round(missed), atol=1e-3)
    assert len(set(np.round(missed))) > 1


def test_what_has_no_head_is_not_told(tmp_path, tiny_text_base, tiny_image_base):
    for base in (open_base(tiny_text_base, "text"), open_base("all-MiniLM-L6-v2", "text")):
        found = masked_token_loss(base, ["cat"])
        assert np.isnan(found.value)
        assert found.how == "not measured: the checkpoint has no masked-language head"
    assert not masked_token_loss(open_base(tiny_image_base, "image"), ["cat"]).told
    without = masked_folder(tmp_path / "unmasked", words=["[PAD]", "[UNK]", "mask", "cat"])
    assert masked_token_loss(without, ["cat"]).how == "not measured: the tokenizer has no mask token"
    assert masked_token_loss(masked_folder(tmp_path / "empty"), [""]).how == "not measured: the texts have no tokens"


def test_a_damaged_checkpoint_is_refused(tmp_path):
    base = masked_folder(tmp_path / "bad")
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BaseError, match="cannot be loaded safely"):
        masked_token_loss(base, ["cat"])


def test_fragmentation_counts_tokens_beyond_one_a_word(tmp_path):
    base = open_folder(bert_folder(tmp_path / "base"))  # every word and mark is a token; two are taken for marks
    assert fragmentation(base, ["cat sat on a mat now"]).value == 0
    assert fragmentation(base, ["cat-dog-ran, sat."]).value == pytest.approx(((8 - 2) / 2 - 1) / 2)
    assert not fragmentation(open_base("efficientnet_lite0", "image"), ["cat"]).told


def test_foreign_words_fall_into_more_pieces():
    base = open_base("all-MiniLM-L6-v2", "text")
    plain = fragmentation(base, ["where is my card and when will it come"]).value
    foreign = fragmentation(base, ["Donaudampfschifffahrtsgesellschaft Überweisungsträger zwölfjährig"]).value
    assert plain < 0.05
    assert foreign > 0.9
