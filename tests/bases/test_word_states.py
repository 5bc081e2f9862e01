"""A text base gives the state of every word, however its texts are batched, cut into windows, cached and run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases import runtime
from headstart.bases.adapted import AdaptedBase, changes_of, flattened, state_of
from headstart.bases.adapters import Lora, inject
from headstart.bases.base import Base
from headstart.bases.folder import open_folder
from headstart.bases.network import WordNetwork
from headstart.bases.refitted import as_recorded, with_tokens
from headstart.bases.runtime_onnx import export, run_of
from headstart.bases.stages import Stages
from headstart.bases.word_states import text_vectors, word_states
from headstart.data.table import Fact, objects
from headstart.delivery.predictor import Predictor
from headstart.delivery.serving import Serving, serving_of
from headstart.errors import BaseError, SettingError
from headstart.modalities.text.words import Words
from headstart.ragged import Ragged
from headstart.training.cache import FeatureCache, Space
from headstart.training.extraction import ITEMS
from headstart.training.features import extract
from tests.bases.checkpoints import bert_folder, decoder_folder, t5_folder
from tests.training.small import base_of

KNOWN = [
    "the",
    "cat",
    "dog",
    "sat",
    "ran",
    "on",
    "a",
    "mat",
    "log",
    "is",
    "was",
    "my",
    "card",
    "parcel",
    "late",
    "lost",
    "new",
    "old",
]
FOLDERS = {"bert": bert_folder, "gpt2": decoder_folder, "t5": t5_folder}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(runtime, "CANDIDATES", ())


@pytest.fixture(params=FOLDERS)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    return word_states(open_folder(FOLDERS[request.param](tmp_path / request.param)))


@pytest.fixture
def bert(tmp_path: Path) -> Base:
    return word_states(open_folder(bert_folder(tmp_path / "bert")))


def sentence(words: int, seed: int = 0) -> Words:
    return Words.of(np.random.default_rng(seed).choice(KNOWN, words).tolist())


def by_hand(base: Base, text: str) -> np.ndarray:
    """States of a text whose words are one token each, without special ones."""
    ids = torch.tensor([[KNOWN.index(word) + 2 for word in text.split()]])
    with torch.inference_mode():
        found: Any = base.network().body(input_ids=ids, attention_mask=torch.ones_like(ids))
    return np.asarray(found.last_hidden_state[0])


# --- What it gives -------------------------------------------------------------------------------------


def test_each_word_has_the_state_of_its_token(base: Base) -> None:
    texts = [sentence(n, n) for n in (3, 9, 1, 14)]
    found = extract(base, texts)
    assert found.vectors.counts.tolist() == [3, 9, 1, 14]
    assert found.vectors.values.shape == (27, base.width)
    for row, text in enumerate(texts):
        assert found.vectors[row] == pytest.approx(by_hand(base, text), abs=1e-5)


def test_rows_of_any_batch_are_in_the_order_of_rows_windows_and_words(bert: Base) -> None:
    network = bert.network()
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 40, (3, 2, 6), generator=random)
    mask = torch.ones_like(ids)
    mask[1, 1] = 0
    words = torch.tensor([[[0, 2], [1, -1]], [[3, 5], [-1, -1]], [[-1, -1], [2, -2]]])
    with torch.inference_mode():
        found = network(ids, mask, words)
        for (row, window, place), state in zip(
            [(0, 0, 0), (0, 0, 2), (0, 1, 1), (1, 0, 3), (1, 0, 5), (2, 1, 2), (2, 1, -2)], found, strict=True
        ):
            hidden = network.body(input_ids=ids[row, window : window + 1]).last_hidden_state[0]
            expected = hidden[place] if place >= 0 else torch.zeros(bert.width)
            assert state.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_several_windows_give_what_one_gives_away_from_their_edges(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    folder = bert_folder(tmp_path / "near")
    config = BertConfig(**json.loads((folder / "config.json").read_text()) | {"max_position_embeddings": 512})
    model = BertModel(config)
    with torch.no_grad():  # what is near counts: tokens hardly see one another, and no position
        model.embeddings.position_embeddings.weight.zero_()
        for layer in model.encoder.layer:
            layer.attention.output.dense.weight.mul_(1e-3)
    model.save_pretrained(folder)
    text = sentence(200)
    wide = word_states(open_folder(folder))
    narrow = with_tokens(word_states(open_folder(folder)), max_tokens=16)
    found, whole = extract(narrow, [text]), extract(wide, [text])
    assert found.read is not None
    assert found.read[0].tolist() == [200, 0]
    assert found.vectors.values == pytest.approx(whole.vectors.values, abs=1e-3)
    assert np.unique(whole.vectors.values.round(2), axis=0).shape[0] > 10


def test_plain_texts_have_their_words_found_and_share_features(bert: Base) -> None:
    told = extract(bert, ["the cat sat"])
    again = extract(bert, ["the cat sat", Words("the cat sat"), Words("the cat sat", [(0, 7)]), "  "])
    assert (told.computed, again.computed) == (1, 1)
    assert again.vectors.counts.tolist() == [3, 3, 1, 0]
    assert again.rejected == {3: "empty text"}
    assert np.array_equal(again.vectors[0], told.vectors[0])
    assert np.array_equal(again.vectors[0], again.vectors[1])


def test_features_are_kept_and_found_as_they_were(bert: Base) -> None:
    texts = [sentence(n % 11 + 1, n) for n in range(40)]
    first = extract(bert, texts)
    again = extract(bert, texts[::-1])
    assert (first.computed, again.computed) == (len({*texts}), 0)
    assert np.array_equal(again.vectors[::-1].values, first.vectors.values)
    pooled = extract(text_vectors(bert), texts)
    assert pooled.computed == first.computed, "a vector a text is another thing"


def test_a_kept_row_of_another_number_of_words_is_not_taken(bert: Base) -> None:
    found = extract(bert, ["the cat sat"])
    identity = bert.identity
    told = (identity.name, identity.weights, ITEMS, bert.preprocessing(), found.dtype, 0, bert.computed_by())
    with FeatureCache(Space(*told)) as cache:
        keys = [str(key) for key in found.keys]
        there, vectors = cache.get_ragged(keys, np.array([3]), bert.width)
        assert there.tolist() == [True]
        assert np.array_equal(vectors.values, found.vectors.values)
        there, vectors = cache.get_ragged(keys, np.array([2]), bert.width)
        assert there.tolist() == [False]
        assert len(vectors) == 0


# --- As a base -------------------------------------------------------------------------------------------


def test_its_identity_is_the_base_s_and_its_keys_are_its_own(tmp_path: Path) -> None:
    inner = open_folder(bert_folder(tmp_path / "bert"))
    made = word_states(inner)
    assert word_states(made) is made
    assert text_vectors(made) is inner
    assert text_vectors(inner) is inner
    assert (made.identity, made.width) == (inner.identity, inner.width)
    assert made.key() != inner.key()
    told = json.loads(made.preprocessing())
    assert told.keys() == {"max_tokens", "words", "tokenizer"}
    assert made.weights_files == inner.weights_files
    assert any("a word" in fact.value for fact in made.facts)
    made.facts = (Fact("base", "inner → run", "an earlier run"), *made.facts)
    assert [fact.what for fact in text_vectors(made).facts] == ["base"]


def test_a_record_of_it_opens_it_again(tmp_path: Path) -> None:
    made = with_tokens(word_states(open_folder(bert_folder(tmp_path / "bert"))), max_tokens=16)
    again = as_recorded(open_folder(tmp_path / "bert"), made.preprocessing())
    assert again.preprocessing() == made.preprocessing()
    assert isinstance(again.network(), WordNetwork)
    assert text_vectors(again).spec.max_tokens == 16


def test_what_an_earlier_run_changed_stays_laid_over_it(tmp_path: Path) -> None:
    inner = open_folder(bert_folder(tmp_path / "bert"))
    network = inner.network()
    before = state_of(network)
    with torch.no_grad():
        network.body.encoder.layer[1].output.LayerNorm.bias.add_(1.0)
    adapted = AdaptedBase(inner, changes_of(before, network))
    made = word_states(adapted)
    assert isinstance(made, AdaptedBase)
    assert made.identity == adapted.identity
    assert flattened(made)[0].spec.words
    text = sentence(5)
    assert extract(made, [text]).vectors[0] == pytest.approx(by_hand(made, text), abs=1e-5)
    moved = extract(made, [text]).vectors.values - extract(word_states(inner), [text]).vectors.values
    assert np.abs(moved).max() > 0.01
    assert sum("a word" in fact.value for fact in made.facts) == 1
    back = text_vectors(made)
    assert back.facts == adapted.facts
    assert back.preprocessing() == adapted.preprocessing()
    assert extract(back, ["the cat"]).vectors.shape == (1, 16)


def test_what_has_no_words_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BaseError, match="takes images, which have no words"):
        word_states(base_of("vit", tmp_path / "vit"))


def test_a_graph_is_refused_with_what_to_take_instead(tmp_path: Path) -> None:
    from headstart.bases.onnx_base import open_onnx

    folder = bert_folder(tmp_path / "bert")
    network = open_folder(folder).network()
    graph = folder / "model.onnx"

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = network.body

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.body(input_ids=ids, attention_mask=mask).last_hidden_state)

    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {name: {0: "b", 1: "t"} for name in ("input_ids", "attention_mask")}
    names = {"input_names": [*axes], "output_names": ["last_hidden_state"], "dynamic_axes": axes}
    torch.onnx.export(Hidden().eval(), (ids, ids), str(graph), dynamo=False, **names)
    with pytest.raises(BaseError, match=r"one vector a text.*take a text model of transformers"):
        word_states(open_onnx(str(graph)))


def test_windows_are_not_asked_for_where_every_word_is_read(bert: Base) -> None:
    with pytest.raises(SettingError, match="as many windows as that takes; drop it"):
        with_tokens(bert, windows=2)


# --- Run, served, cut --------------------------------------------------------------------------------------


def test_the_graph_gives_what_torch_gives_for_any_batch(base: Base) -> None:
    network = base.network()
    run = run_of(export(network).session({}, 1))
    random = np.random.default_rng(0)
    for rows, tokens, words in [(1, 1, 1), (3, 7, 2), (5, 30, 11)]:
        ids = random.integers(0, 40, (rows, tokens))
        mask = np.ones_like(ids)
        mask[-1, (tokens + 1) // 2 :] = 0
        places = random.integers(-2, (tokens + 1) // 2, (rows, words))
        places[0, 0] = 0
        with torch.inference_mode():
            expected = network(*(torch.from_numpy(a) for a in (ids, mask, places))).numpy()
        found = run((ids, mask, places))
        assert len(found) == (places != -1).sum()
        assert found == pytest.approx(expected, abs=1e-5)


def test_ways_to_run_it_are_timed_by_texts_and_compared_by_words(bert: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "CANDIDATES", ("torch-float32-folded", "onnxruntime"))
    texts = [sentence(n % 9 + 1, n) for n in range(20)]
    found = extract(bert, texts)
    choice = runtime.remembered(bert)
    assert choice is not None
    assert {one.name for one in choice.usable} == {"torch-float32", "torch-float32-folded", "onnxruntime"}
    assert min(one.cosine for one in choice.usable) > 0.9999
    assert found.vectors[3] == pytest.approx(by_hand(bert, texts[3]), abs=1e-5)


def test_vectors_of_zeros_are_alike_in_both() -> None:
    a = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert runtime._least_cosine(a, a) == pytest.approx(1.0)
    assert runtime._least_cosine(a, a[::-1]) == 0.0
    assert runtime._least_cosine(np.zeros((0, 2)), np.zeros((0, 2))) == 1.0


@pytest.mark.parametrize("count", [1, 5, 40])
def test_a_saved_model_gives_the_same_states_by_its_graph(bert: Base, count: int) -> None:
    rows = objects([*(sentence(n % 9 + 1, n) for n in range(count)), " ", "\ud800 x", sentence(90)])
    serving = serving_of(bert, "float32", None)
    assert serving.graph is not None, serving.reason
    expected = extract(bert, rows)
    for way in (serving, Serving()):
        seen = Predictor(bert, "float32", way).features(rows, bert.width)
        assert isinstance(seen.x, Ragged)
        assert seen.rejected.keys() == {count, count + 1}
        assert seen.x.counts.tolist() == expected.vectors.counts.tolist()
        assert seen.x.counts[count:].tolist() == [0, 0, 90]
        assert seen.x.values == pytest.approx(expected.vectors.values, abs=1e-5)
        assert seen.read is not None
        assert seen.read[-1].tolist() == [90, 0]


def test_it_is_cut_where_the_base_is(base: Base) -> None:
    network, inner = base.network(), text_vectors(base).network()
    words, texts = Stages(network), Stages(inner)
    assert words.cuts == texts.cuts
    assert words.cuts
    assert [one.parameters for one in words.stages] == [one.parameters for one in texts.stages]
    ids = torch.randint(0, 40, (4, 2, 6), generator=torch.Generator().manual_seed(3))
    mask = torch.ones_like(ids)
    mask[2, 1], mask[0, 1, 3:] = 0, 0
    places = torch.tensor([[[0, 4], [2, -1]], [[1, -1], [5, -1]], [[2, 3], [-1, -1]], [[-1, -1], [0, -2]]])
    with torch.no_grad():
        expected = network(ids, mask, places)
        for cut in words.cuts:
            state = words.prefix((ids, mask, places), cut)
            assert torch.allclose(words.suffix(state, cut), expected, atol=1e-5)


def test_adapters_fit_it(bert: Base) -> None:
    network = bert.network()
    inject(network, Lora())
    found = network(*network.sample())
    found.sum().backward()
    assert found.shape == (6, bert.width)
    assert any("lora_" in name and p.grad is not None for name, p in network.named_parameters())


def test_random_weights_give_states_too(bert: Base) -> None:
    network = bert.untrained()
    assert network(*network.example()).shape == (6, bert.width)
    assert replace(bert.spec, words=False) == text_vectors(bert).spec
