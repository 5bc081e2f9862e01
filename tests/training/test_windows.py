"""Long texts are read in windows, alike wherever they are read; short ones are read as they always were."""

from __future__ import annotations

import gc
import hashlib
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.bases import runtime
from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.refitted import with_tokens
from headstart.bases.staged import StagedBase
from headstart.data.table import objects
from headstart.modalities.text import WINDOWS, TextSpec, stream, tokens
from headstart.modalities.text.modality import text_pieces
from headstart.modalities.text.reading import reading_of
from headstart.modalities.text.tokens import Tokens
from headstart.modalities.windows import windows_of
from headstart.training.answers import pooled
from headstart.training.features import extract
from headstart.training.feed import feed_for
from headstart.training.phase import Phase
from headstart.training.rows import TrainRows
from headstart.training.run import train
from tests import toys
from tests.bases.checkpoints import bert_folder, decoder_folder, tokenizer_file
from tests.training.small import forward, head_of, job_of, rows_of, size_of, trainee_of

WORDS = [word for words in toys.WORDS.values() for word in words]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(runtime, "CANDIDATES", ())  # plain float32, whatever is fastest on this machine


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return open_base(str(bert_folder(tmp_path / "bert")), "text")


def text(words: int, seed: int = 0) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, words))


def marked(folder: Path) -> None:
    """Special tokens around every text, as BERT's tokenizer puts them."""
    from tokenizers import Tokenizer, processors

    tokenizer = Tokenizer.from_file(str(tokenizer_file(folder)))
    tokenizer.post_processor = processors.TemplateProcessing("the $A a", special_tokens=[("the", 2), ("a", 9)])
    tokenizer.save(str(folder / "tokenizer.json"))


# --- Where windows lie -------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [6, 30, 254])
@pytest.mark.parametrize("most", [1, 2, 16])
def test_windows_hold_every_token_unless_there_are_too_many(room, most):
    for length in [1, room - 1, room, room + 1, 2 * room, 5 * room + 3, 40 * room]:
        found = windows_of(length, room, most)
        seen = np.unique(found.of(np.arange(length)))
        assert len(found.starts) <= most
        assert found.width <= room
        assert length - len(seen) == found.unread
        assert seen[0] == 0
        if most > 1:
            assert seen[-1] == length - 1
        if length <= 10 * room and most == 16:
            assert found.unread == 0
            assert (found.starts[:-1] + found.width - found.starts[1:] >= int(room / 8)).all()


# --- Tokens ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("special", [False, True])
def test_what_fits_or_is_cut_is_what_the_tokenizer_itself_gives(special, tmp_path):
    from tokenizers import Tokenizer

    folder = bert_folder(tmp_path / "bert")
    if special:
        marked(folder)
    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.enable_truncation(32)
    texts = [text(count, count) for count in (1, 3, 29, 30, 31, 32, 33, 200)]
    read = Tokens(open_base(str(folder), "text", windows=1)).ids(texts)
    assert [read[i][0].tolist() for i in range(len(texts))] == [one.ids for one in own.encode_batch(texts)]
    assert (read.windows == 1).all()


def test_each_window_has_its_special_tokens(tmp_path):
    folder = bert_folder(tmp_path / "bert")
    marked(folder)
    read = Tokens(open_base(str(folder), "text")).ids([text(100)])
    assert read.windows[0] > 3
    assert (read[0][:, 0] == 2).all()
    assert (read[0][:, -1] == 9).all()
    assert read[0].shape[1] <= 32
    assert read.lengths[0] == 102


def test_a_very_long_text_is_tokenised_in_parts_to_the_same_tokens(base, monkeypatch):
    texts = [text(5, 1), text(900, 2), text(7, 3)]
    whole = Tokens(base).ids(texts)
    monkeypatch.setattr(tokens, "_CHARACTERS", 100)
    parts = Tokens(base).ids(texts)
    np.testing.assert_array_equal(whole.values, parts.values)
    np.testing.assert_array_equal(whole.starts, parts.starts)


def test_a_text_without_spaces_is_tokenised_in_parts_too(base, monkeypatch):
    monkeypatch.setattr(tokens, "_CHARACTERS", 100)
    assert Tokens(base).ids(["x" * 1_000]).lengths[0] == 10


def test_token_ids_take_four_bytes_a_token(base):
    texts = [text(25, seed) for seed in range(2_000)]
    reader = Tokens(base)
    reader.ids(texts[:10])
    gc.collect()
    tracemalloc.start()
    read = reader.ids(texts)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    count = int(read.lengths.sum())
    assert read.values.nbytes == 4 * count
    arrays = (read.values, read.starts, read.windows, read.lengths, read.unread)
    assert sum(array.nbytes for array in arrays) < 6 * count
    assert held < 18 * count


# --- Features ----------------------------------------------------------------------------------------


def by_hand(base: Base, one: str) -> np.ndarray:
    """The mean over windows, each passed through the network by itself."""
    network, windows = base.network(), Tokens(base).ids([one])[0]
    with torch.no_grad():
        found = [
            network(torch.tensor(w[None], dtype=torch.int64), torch.ones((1, len(w)), dtype=torch.int64))
            for w in windows
        ]
    return torch.cat(found).mean(0).numpy()


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_features_of_a_long_text_are_the_mean_over_its_windows(kind, tmp_path):
    folder = (bert_folder if kind == "bert" else decoder_folder)(tmp_path / kind)
    base = open_base(str(folder), "text")
    texts = objects([text(count, count) for count in (3, 40, 32, 31, 500, 33, 80)])
    got = extract(base, texts)
    for one, vector in zip(texts, got.vectors, strict=True):
        np.testing.assert_allclose(vector, by_hand(base, one), atol=1e-4)
    alone = [extract(base, texts[i : i + 1]) for i in range(len(texts))]
    assert all(one.computed == 0 for one in alone)


def test_features_do_not_depend_on_what_else_is_read(base, monkeypatch, tmp_path):
    texts = objects([text(count, count) for count in (3, 40, 32, 31, 500, 33, 80, 5, 6)])
    extract(base, texts)  # the runtime is chosen and remembered
    together = extract(base, texts).vectors
    for i, one in enumerate(texts):
        folder = tmp_path / f"{i}"
        monkeypatch.setattr("headstart.training.cache.features_root", lambda folder=folder: folder)
        found = extract(base, objects([one]))
        assert found.computed == 1
        np.testing.assert_allclose(found.vectors[0], together[i], rtol=1e-4, atol=1e-5)


def test_short_texts_have_the_features_they_always_had(base):
    texts = objects([text(count, count) for count in range(1, 33)])
    windows = extract(base, texts).vectors
    cut = extract(with_tokens(base, windows=1), texts)
    assert cut.computed == len(texts)  # a reading of its own has features of its own
    np.testing.assert_array_equal(windows, cut.vectors)


def test_equal_windows_of_a_text_pass_through_once(base, monkeypatch):
    ids = text_pieces([" ".join(["card"] * 400)], base, np.array([0]), lambda row, reason: None)
    (piece,) = list(ids)
    assert len(piece.batch[0]) == 1
    np.testing.assert_allclose(piece.shares.sum(), 1)
    np.testing.assert_allclose(
        extract(base, objects([" ".join(["card"] * 400)])).vectors[0],
        by_hand(base, "card " * 400),
        rtol=0.02,
        atol=0.02,
    )


def test_many_windows_pass_through_in_batches_of_the_usual_size(base, monkeypatch):
    monkeypatch.setattr(stream, "TOKENS_PER_BATCH", 64)
    seen = []
    (piece,) = list(text_pieces([text(400)], base, np.array([0]), lambda row, reason: None))

    def runner(batch):
        seen.append(batch[0].size)
        return np.ones((len(batch[0]), 4), np.float32)

    np.testing.assert_allclose(piece.run(runner), np.ones((1, 4)), rtol=1e-6)
    assert sum(seen) == piece.batch[0].size
    assert max(seen) <= 64


def test_a_graph_is_read_in_windows_too(base):
    texts = objects([text(count, count) for count in (3, 40, 500)])
    extract(base, texts)
    network = base.network()
    run = runtime.build(runtime.ONNX, base, network)
    pieces = text_pieces(texts, base, np.arange(3), lambda row, reason: None)
    for piece in pieces:
        for row, vector in zip(piece.rows, piece.run(run), strict=True):
            np.testing.assert_allclose(vector, by_hand(base, texts[row]), atol=1e-4)


def test_features_of_all_stages_are_the_mean_over_windows_as_well(base):
    staged = StagedBase(base)
    one = text(100)
    np.testing.assert_allclose(extract(staged, objects([one])).vectors[0], by_hand(staged, one), atol=1e-4)
    rows = TrainRows([text(3), one], np.array(["a", "b"]), np.zeros(2), np.zeros((0, 1)))
    np.testing.assert_allclose(pooled(staged, staged.network(), rows)[1], by_hand(staged, one), atol=1e-4)


# --- Training ----------------------------------------------------------------------------------------


def long_rows(base: Base, count: int, seed: int) -> TrainRows:
    """Rows of two classes, every third text too long for one window."""
    rows = rows_of(base, count, seed, vectors=False)
    inputs = [f"{one} {text(20 * (i % 3) * 2, i)}" for i, one in enumerate(rows.inputs)]
    keys = np.array([hashlib.sha256(one.encode()).hexdigest() for one in inputs])
    rows = replace(rows, inputs=inputs, keys=keys)
    return replace(rows, vectors=pooled(base, base.network(), rows))


@pytest.mark.parametrize("thaw", [1.0, 1])
def test_what_is_judged_in_training_is_what_is_handed_over(base, thaw):
    held = long_rows(base, 12, 1)
    job = job_of(base, Phase(thaw=thaw, epochs=2.0, least_steps=1), train=long_rows(base, 24, 0), held=held, head=None)
    trained = train(job)
    after = AdaptedBase(base, trained.changes)
    answers = trained.head.probabilities(extract(after, objects(held.inputs)).vectors)
    np.testing.assert_allclose(answers, trained.held, atol=1e-4)
    exact = trained.head.probabilities(pooled(after, after.network(), held))
    np.testing.assert_allclose(exact, trained.held, atol=1e-4)


def test_the_cached_prefix_of_windows_trains_as_without_it(base):
    rows, held = long_rows(base, 24, 0), long_rows(base, 12, 1)
    phase = Phase(thaw=1, epochs=2.0, least_steps=1)
    kept, anew = (
        train(job_of(base, phase, train=rows, held=held, head=None, cache_prefix=cached)) for cached in (True, False)
    )
    assert kept.prefix
    assert not anew.prefix
    np.testing.assert_allclose(kept.held, anew.held, atol=1e-3)


def test_states_of_windows_give_the_network_s_features(base):
    rows = long_rows(base, 6, 0)
    trainee = trainee_of(base).eval()
    (batch,) = feed_for(base, rows, None, 0).stream([np.arange(6)], None)
    assert batch[0].ndim == 3
    with torch.no_grad():
        for cut in trainee.stages.cuts:
            state = trainee.stages.prefix(batch, cut)
            assert len(state.hidden) == 6
            np.testing.assert_allclose(trainee.stages.suffix(state, cut), trainee.network(*batch), atol=1e-5)


def test_a_step_of_many_long_texts_is_made_in_parts(base, monkeypatch):

    rows = long_rows(base, 24, 0)
    whole = train(job_of(base, Phase(thaw=1.0, epochs=1.0), train=rows, held=None, head=head_of(rows)))
    monkeypatch.setattr("headstart.modalities.text.modality._TextFeed.at_once", 200)
    sizes = []

    def seen(own, trainee, arguments):
        if torch.is_grad_enabled():
            sizes.append(size_of(arguments[0]))
        return own(trainee, *arguments)

    with forward(seen):
        parts = train(job_of(base, Phase(thaw=1.0, epochs=1.0), train=rows, held=None, head=head_of(rows)))
    assert sizes
    assert min(sizes) < 8
    # AdamW turns differences of 1e-7 in small gradients into visible ones
    assert np.corrcoef(parts.head.weight.ravel(), whole.head.weight.ravel())[0, 1] > 0.99


# --- What is said of it --------------------------------------------------------------------------------


def test_how_many_texts_are_long_and_cut_is_told_from_the_cache_too(base):
    texts = objects([text(3), text(40, 1), text(40, 1), text(2_000, 2), ""])
    for computed in (3, 0):
        got = extract(base, texts)
        assert got.computed == computed
        told = reading_of(base.spec, got.read[got.kept])
        assert (told.texts, told.long, told.longest, told.cut) == (4, 3, 2_000, 1)
        assert told.unread == pytest.approx(1 - WINDOWS * 32 / 2_000, abs=0.01)
        assert "3 of 4 texts have more than the 32 tokens" in told.sentence
        assert "1 has more than 8 windows hold" in told.sentence
    cut = with_tokens(base, windows=1)
    told = reading_of(cut.spec, extract(cut, texts).read[:4])
    assert (told.long, told.cut) == (3, 3)
    assert "they are cut there, and 95 % of their tokens are not read" in told.sentence


def test_lengths_are_told_where_only_the_features_are_known(base, monkeypatch):
    texts = objects(["cat", text(40, 1)])
    extract(base, texts)
    monkeypatch.setattr("headstart.training.extraction._LENGTHS", "another")
    again = extract(base, texts)
    assert again.computed == 0
    assert again.read[:, 0].tolist() == [0, 40]  # the first is clearly short


def test_a_text_in_windows_goes_by_one_spec_everywhere(base):
    assert base.spec == TextSpec(32, WINDOWS)
    assert TextSpec.from_dict(TextSpec(32, WINDOWS).to_dict()) == TextSpec(32, WINDOWS)
    assert TextSpec.from_dict({"max_tokens": 32, "tokenizer": "x"}) == TextSpec(32)
    assert TextSpec(32).to_dict() == {"max_tokens": 32}
