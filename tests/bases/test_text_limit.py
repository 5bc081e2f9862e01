"""How many tokens a text base takes at once, and what is asked for beyond it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headstart.bases.catalogue import open_base
from headstart.bases.text_limit import token_limit
from headstart.errors import SettingError
from headstart.modalities.text import WINDOWS, TextSpec
from tests.bases.checkpoints import bert_folder, vit_folder


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, 512),
        ({"model_type": "bert"}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "esm", "max_position_embeddings": 1026, "pad_token_id": 1}, 1024),
        ({"model_type": "gpt2", "n_positions": 1024}, 1024),
        ({"model_type": "distilbert", "max_position_embeddings": 512}, 512),
        ({"model_type": "t5", "n_positions": 512}, None),
        ({"model_type": "bloom"}, None),
        ({"model_type": "llama", "max_position_embeddings": 131072}, 131072),
        ({"model_type": "bert", "max_position_embeddings": None}, 512),
    ],
)
def test_what_configurations_tell(config, limit):
    assert token_limit(config) == limit


@pytest.mark.parametrize(("told", "limit"), [(384, 384), (int(1e30), 512), (1e30, 512), (8192, 512), (None, 512)])
def test_a_tokenizer_s_limit_holds_where_it_is_one(told, limit, tmp_path):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"model_max_length": told}))
    assert token_limit({"model_type": "bert", "max_position_embeddings": 512}, tmp_path) == limit


def test_a_roberta_reads_as_many_tokens_as_it_has_positions_for(tmp_path):
    import torch
    from transformers import RobertaConfig, RobertaModel

    from headstart.data.table import objects
    from headstart.training.features import extract
    from tests.bases.checkpoints import tokenizer_file

    config = RobertaConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=34,
        pad_token_id=1,
    )
    torch.manual_seed(0)
    RobertaModel(config).save_pretrained(tmp_path / "roberta")
    tokenizer_file(tmp_path / "roberta")
    base = open_base(str(tmp_path / "roberta"), "text")
    assert (base.most_tokens, base.spec) == (32, TextSpec(32, WINDOWS))
    assert extract(base, objects(["cat " * 32, "dog " * 100])).computed == 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bert_folder(tmp_path_factory.mktemp("limit") / "bert")


def test_less_can_be_asked_for(folder):
    assert open_base(str(folder), "text", max_tokens=16).spec == TextSpec(16, WINDOWS)
    assert open_base(str(folder), "text", windows=1).spec == TextSpec(32, 1)
    assert open_base(None, "text", max_tokens=512).spec == TextSpec(512, WINDOWS)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"max_tokens": 33}, "max-tokens is 33; base .* takes from 8 to 32 tokens at once"),
        ({"max_tokens": 0}, "max-tokens is 0; base .* takes from 8 to 32"),
        ({"max_tokens": -5}, "max-tokens is -5"),
        ({"windows": 0}, "windows is 0; it is at least 1"),
    ],
)
def test_more_than_the_base_takes_is_refused(folder, asked, said):
    with pytest.raises(SettingError, match=said) as raised:
        open_base(str(folder), "text", **asked)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("asked", [{"max_tokens": 64}, {"windows": 2}])
def test_pictures_have_no_tokens(asked, tmp_path):
    with pytest.raises(SettingError, match=r"takes no texts( or recordings)?; drop it"):
        open_base(str(vit_folder(tmp_path / "vit")), "image", **asked)
