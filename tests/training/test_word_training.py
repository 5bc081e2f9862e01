"""Rows of several items are trained on and answered item by item, wherever a batch, a run or a process is parted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases.adapters import Lora
from headstart.bases.base import Base
from headstart.bases.folder import open_folder
from headstart.bases.refitted import with_tokens
from headstart.bases.word_states import word_states
from headstart.data.table import Table, objects
from headstart.errors import SettingError
from headstart.heads.folds import deal
from headstart.heads.solve import solve
from headstart.modalities import get
from headstart.modalities.text.words import Words
from headstart.ragged import Ragged, flat
from headstart.tasks.tag import Tag
from headstart.training.answers import pooled
from headstart.training.feed import feed_for
from headstart.training.finished import Finished
from headstart.training.job import Job, Trained
from headstart.training.measuring import measure
from headstart.training.options import TrainOptions
from headstart.training.phase import Phase
from headstart.training.reading import read_as, read_out
from headstart.training.recipe import Recipe
from headstart.training.rows import TrainRows
from headstart.training.run import train
from tests.bases.checkpoints import bert_folder
from tests.training.small import difference, forward, linear, weights_of
from tests.training.test_engine import short_of_memory
from tests.training.test_processes import two_processes
from tests.training.test_resuming import PHASES, broken_and_resumed

Bases = Callable[[str], Base]
TASK = Tag(("O", "B-PET", "I-PET"))
PETS, OTHERS = ["cat", "dog", "old", "new"], ["sat", "ran", "mat", "log", "my", "card"]


def tag_rows(base: Base, count: int, seed: int = 0, most: int = 9) -> TrainRows:
    """Texts of one to ``most`` words, in which runs of some words are entities."""
    rng = np.random.default_rng(seed)
    texts, tags = [], []
    for _ in range(count):
        words = rng.choice([*PETS, *OTHERS], rng.integers(1, most + 1)).tolist()
        texts.append(Words.of(words))
        marks = ["I-PET" if w in PETS else "O" for w in words]
        tags.append(tuple("B-PET" if m != "O" and (not i or marks[i - 1] == "O") else m for i, m in enumerate(marks)))
    keys = np.array([get("text").content_key(text) for text in texts])
    rows = TrainRows(texts, keys, TASK.encode(tags), np.zeros((0, base.width), np.float32))
    return replace(rows, vectors=pooled(base, base.network(), rows))


def tag_job(base: Base, *phases: Phase, recipe: dict[str, Any] | None = None, **given: Any) -> Job:
    """A job on tags, from a solved head."""
    rows, held = tag_rows(base, given.pop("n", 24), most=given.pop("most", 9)), tag_rows(base, 12, seed=1)
    head = solve(rows.vectors, rows.y, "tag", outputs=3).head
    own = {"train": rows, "held": held, "head": head, "retained": None}
    own |= {name: given.pop(name) for name in [*given] if name in own}
    usual = {"metric": "token_accuracy", "batch": 8, "dropout": 0.0, "patience": 99}
    whole = Recipe(phases or (Phase(thaw=1.0, epochs=2.0, least_steps=1),), **(recipe or {}))
    return Job(base=base, recipe=whole, task="tag", outputs=3, options=TrainOptions(**{**usual, **given}), **own)


@pytest.fixture
def base(bases: Bases) -> Base:
    return word_states(bases("bert"))


@pytest.fixture
def still(tmp_path: Path) -> Base:
    """One without dropout, which parts of a batch would draw anew."""
    folder = bert_folder(tmp_path / "still")
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return word_states(open_folder(folder))


def same(a: Trained, b: Trained) -> None:
    first, second = weights_of(a), weights_of(b)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    for one, other in ((a.held, b.held), (a.kept, b.kept)):
        assert isinstance(one, Ragged)
        assert isinstance(other, Ragged)
        assert np.array_equal(one.offsets, other.offsets)
        assert np.array_equal(one.values, other.values)
    assert repr(a.curve) == repr(b.curve)
    assert (a.chosen, a.steps, a.shares, a.stopped) == (b.chosen, b.steps, b.shares, b.stopped)


# --- Learning ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_tags_are_learnt_by_training_the_base(bases: Bases, kind: str) -> None:
    made = word_states(bases(kind))
    job = tag_job(made, Phase(thaw=1.0, epochs=25.0, rate=2e-2, body=0.5), head=None, n=40)
    trained = train(job)
    assert trained.train_score > 0.98
    assert trained.score > 0.9
    assert isinstance(trained.held, Ragged)
    assert job.held is not None
    assert np.array_equal(trained.held.offsets, job.held.y.offsets)
    assert trained.held.values.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert trained.curve[-1].valid_loss < trained.curve[0].valid_loss
    assert trained.curve[0].valid_loss == pytest.approx(np.log(3), abs=1e-5)  # a head of zeros, a word


def test_a_loss_is_the_mean_over_words_whatever_rows_they_stand_in(base: Base) -> None:
    rows = tag_rows(base, 12)
    objective, scores = linear("tag", rows.y, 3), torch.randn(len(rows.y.values), 3)
    summed, weight = objective.loss(scores, objective.truth(rows.y))
    assert weight == len(rows.y.values)
    expected = torch.nn.functional.cross_entropy(scores, torch.from_numpy(rows.y.values))
    assert float(summed / weight) == pytest.approx(float(expected), abs=1e-6)
    balanced = linear("tag", rows.y, 3, balanced=True)
    assert float(balanced.loss(scores, balanced.truth(rows.y))[0]) != pytest.approx(float(summed))


def test_a_solved_head_answers_the_first_look(base: Base) -> None:
    job = tag_job(base, Phase(thaw=1.0, epochs=1.0, least_steps=1, rate=1e-6))
    trained = train(job)
    assert job.head is not None
    assert job.held is not None
    assert isinstance(trained.held, Ragged)
    expected = job.head.probabilities(job.held.vectors).values
    assert trained.held.values == pytest.approx(expected, abs=1e-3)


# --- The cached prefix, adapters, windows --------------------------------------------------------------


@pytest.mark.parametrize("thaw", [0, 1, 2])
def test_a_cached_prefix_comes_to_the_same(base: Base, thaw: int) -> None:
    job = tag_job(base, Phase(thaw=thaw, epochs=3.0, least_steps=1, rate=1e-3))
    cached, anew = train(job), train(replace(job, options=replace(job.options, cache_prefix=False)))
    assert cached.prefix
    assert not anew.prefix
    assert difference(cached, anew) < 1e-4


@pytest.mark.parametrize("cache", [True, False])
def test_texts_of_several_windows_are_trained_on_whole(base: Base, cache: bool) -> None:
    narrow = with_tokens(word_states(base.base), max_tokens=8)  # type: ignore[attr-defined]
    job = tag_job(narrow, Phase(thaw=1, epochs=2.0, least_steps=1), most=30, cache_prefix=cache)
    lengths = job.train.y.counts
    assert (lengths > 8).sum() > 8
    feed = feed_for(narrow, job.train, None, 0)
    for rows, batch in zip(feed.steady(8), feed.stream(feed.steady(8), None), strict=True):
        assert int((batch[2] != -1).sum()) == lengths[rows].sum()
    trained = train(job)
    assert np.isfinite(trained.loss)
    assert bool(trained.prefix) == cache


def test_norms_and_adapters_move_alone(base: Base) -> None:
    norms = train(tag_job(base, Phase(thaw=1.0, moves="norm", epochs=1.0, least_steps=2)))
    assert norms.changes.tensors
    assert all("Norm" in name or name.endswith("bias") for name in norms.changes.tensors)
    adapter = Phase(thaw=1.0, moves="adapter", epochs=1.0, least_steps=2)
    adapted = train(tag_job(base, adapter, recipe={"lora": Lora()}))
    assert adapted.changes.lora is not None
    assert all("lora_" in name for name in adapted.changes.tensors)


# --- Parts, kills, processes ----------------------------------------------------------------------------


@pytest.mark.parametrize("most", [4, 3, 1])
@pytest.mark.parametrize("given", [{}, {"balanced": True}, {"replay": 0.5}, {"weighed": True}], ids=str)
def test_a_batch_in_parts_comes_to_the_same(still: Base, most: int, given: dict[str, Any]) -> None:
    weighed = given.get("weighed")
    given = {name: value for name, value in given.items() if name != "weighed"}
    if "replay" in given:
        given["retained"] = tag_rows(still, 8, seed=4)
    job = tag_job(still, Phase(thaw=1.0, epochs=2.0, least_steps=1, rate=1e-2), head=None, held=None, **given)
    if weighed:
        job = replace(job, train=replace(job.train, weights=np.linspace(0.2, 1.8, len(job.train))))
    whole = train(job)
    with forward(short_of_memory(most)):
        parts = train(job)
    assert (whole.halvings, parts.halvings > 0) == (0, True)
    assert difference(whole, parts) < 1e-3


def test_rows_count_as_they_are_weighed(still: Base) -> None:
    job = tag_job(still, Phase(thaw=0, epochs=3.0, least_steps=1, rate=1e-2), head=None, held=None)
    some = np.arange(len(job.train)) % 2 == 0
    weighed = train(replace(job, train=replace(job.train, weights=np.where(some, 2.0, 0.0))))
    y = job.train.y.copy()
    y.values[~some[y.rows]] = 0
    others = train(replace(job, train=replace(job.train, y=y, weights=np.where(some, 2.0, 0.0))))
    assert difference(weighed, others) < 1e-5, "rows of weight 0 teach nothing"


def test_rows_without_words_are_no_trouble(base: Base) -> None:
    job = tag_job(base, Phase(thaw=1.0, epochs=2.0, least_steps=1), batch=2)
    texts, y = [*job.train.inputs], job.train.y
    for i in (0, 1, 5):
        texts[i] = Words("the cat", [])
    counts = np.where(np.isin(np.arange(len(texts)), (0, 1, 5)), 0, y.counts)
    kept = replace(y, values=y.values[~np.isin(y.rows, (0, 1, 5))], offsets=np.append(0, np.cumsum(counts)))
    rows = replace(job.train, inputs=texts, y=kept, keys=np.array([get("text").content_key(t) for t in texts]))
    rows = replace(rows, vectors=pooled(base, base.network(), rows))
    trained = train(replace(job, train=rows))
    assert (trained.rollbacks, trained.stopped) == (0, "finished")
    assert np.isfinite(trained.loss)


_CHILD = """
import sys
from pathlib import Path
import numpy as np
from headstart.training.processes import Processes
from headstart.training.run import train
from tests.training.small import weights_of
from tests.training.test_word_training import shared_job
job = shared_job(Path(sys.argv[1]))
trained = train(job)
np.savez(f"{sys.argv[2]}{Processes(job.base).number}.npz", **weights_of(trained), held=trained.held.values)
"""


def shared_job(folder: Path) -> Job:
    """25 rows, so that shares differ, in rows and more so in words."""
    torch.set_num_threads(1)
    base = word_states(open_folder(folder))
    phases = Phase(thaw=1, epochs=1.0, least_steps=1), Phase(thaw=1.0, epochs=1.0, least_steps=1, body=0.3)
    return tag_job(base, *phases, n=25, replay=0.5, retained=tag_rows(base, 8, seed=3))


@pytest.mark.slow
def test_two_processes_come_to_what_one_comes_to(still: Base, tmp_path: Path) -> None:
    folder = Path(still.base.folder)  # type: ignore[attr-defined]
    two_processes(_CHILD, folder, tmp_path)
    whole = train(shared_job(folder))
    assert isinstance(whole.held, Ragged)
    for number in range(2):
        given = np.load(f"{tmp_path / 'out'}{number}.npz")
        assert given["held"] == pytest.approx(whole.held.values, abs=1e-4)
        for name, tensor in weights_of(whole).items():
            if not name.endswith("key.bias"):  # softmax is blind to it
                assert given[name] == pytest.approx(tensor, abs=1e-4), name


@pytest.mark.parametrize("after", [1, 4, 8, 11])
def test_a_broken_run_comes_to_the_same(base: Base, tmp_path: Path, after: int) -> None:
    job = tag_job(base, *PHASES, dropout=0.2)
    whole = train(job)
    again, lines = broken_and_resumed(replace(job, options=replace(job.options, keep=tmp_path, every=0.0)), after)
    same(whole, again)
    assert any(f"step {after}" in line for line in lines)


@pytest.mark.parametrize("after", [2, 5])
def test_adapters_go_on_exactly(base: Base, tmp_path: Path, after: int) -> None:
    phase = Phase(thaw=1.0, moves="adapter", epochs=2.0, least_steps=1)
    job = tag_job(base, phase, recipe={"lora": Lora()}, dropout=0.2)
    whole = train(job)
    again, _ = broken_and_resumed(replace(job, options=replace(job.options, keep=tmp_path, every=0.0)), after)
    same(whole, again)


def test_a_finished_training_is_known_again(base: Base, tmp_path: Path) -> None:
    job = tag_job(base, Phase(thaw=1, epochs=1.0, least_steps=1), keep=tmp_path, finished=Finished())
    first = train(job)

    def never(*_: Any) -> Any:
        raise AssertionError("it was trained again")

    with forward(never):
        again = train(replace(job, options=replace(job.options, finished=Finished())))
    same(first, again)


def test_other_words_of_the_same_labels_are_another_run(base: Base, tmp_path: Path) -> None:
    job = tag_job(base, Phase(thaw=1, epochs=1.0, least_steps=1), keep=tmp_path, finished=Finished())
    train(job)
    y = job.train.y
    offsets = y.offsets.copy()
    longer = int(np.flatnonzero(np.diff(offsets) > 1)[0])
    offsets[longer + 1] -= 1  # the same values, otherwise parted
    other = replace(job, train=replace(job.train, y=replace(y, offsets=offsets)))
    from headstart.training.run import _folder

    assert _folder(job, 1.0) != _folder(other, 1.0)


# --- Rows ------------------------------------------------------------------------------------------------


def test_parts_have_rows_of_the_rarest_classes_in_equal_numbers() -> None:
    rng = np.random.default_rng(0)
    rows = [np.array([0, 0, 1] if i < 20 else [0, 2] if i < 30 else [0, 0]) for i in range(60)]
    order = rng.permutation(60)
    y = Ragged.of([rows[i] for i in order])
    for seed in range(3):
        for part in deal(y, "tag", 2, seed=seed):
            kinds = [1 if 1 in y[int(row)] else 2 if 2 in y[int(row)] else 0 for row in part]
            assert np.bincount(kinds).tolist() == [15, 10, 5]
    assert len(deal(Ragged.of([np.zeros(0, int), np.zeros(2, int)]), "tag", 2, seed=0)) == 2


def test_mixup_of_words_is_refused(base: Base) -> None:
    job = tag_job(base, Phase(thaw=1, epochs=1.0, least_steps=1), mixup=0.2)
    with pytest.raises(SettingError, match=r"mixup is 0\.2.*each word cannot be mixed; set it to 0"):
        train(job)


def test_what_a_task_reads_off_a_base_is_taken_from_any(base: Base) -> None:
    assert read_out(base, "tag") is base
    none = objects([])
    pooled_again = read_as(base, Table(none, none, None, none, "text"))
    assert not pooled_again.spec.words
    assert read_out(pooled_again, "classification") is pooled_again
    assert read_out(pooled_again, "tag").preprocessing() == base.preprocessing()


def test_passes_and_steps_are_timed_by_rows(base: Base) -> None:
    rows = tag_rows(base, 40)
    speed = measure(base, rows, "tag", 3, batch=8)
    assert speed.weights == sum(p.numel() for p in base.network().parameters())
    assert all(np.isfinite(value) and value > 0 for value in (speed.forward, speed.step, speed.adapter, speed.saved))


def test_features_of_trained_networks_are_a_vector_a_word(base: Base) -> None:
    rows = tag_rows(base, 10)
    assert np.array_equal(rows.vectors.offsets, rows.y.offsets)
    assert flat(rows.vectors).shape == (len(rows.y.values), base.width)
    some = rows.take(np.array([7, 2]))
    assert np.array_equal(some.vectors[0], rows.vectors[7])
    assert np.array_equal(some.y[1], rows.y[2])
