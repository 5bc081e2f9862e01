"""The cached prefix: the same training, with the frozen stages run once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases.base import Base
from headstart.bases.stages import Stages, State
from headstart.modalities.image.augment import ImageAugmentation
from headstart.modalities.text.augment import TextAugmentation
from headstart.training.cache import FeatureCache
from headstart.training.cache_use import prune, spaces
from headstart.training.feed import feed_for
from headstart.training.phase import Phase
from headstart.training.prefix import PrefixFeed, _packed, _unpacked
from headstart.training.run import train
from headstart.training.supply import Supply
from tests.training.small import KINDS, difference, head_of, job_of, rows_of, trainee_of

Bases = Callable[[str], Base]
CPU = torch.device("cpu")
TOLERANCE = 2e-3  # of weights after 6 steps: AdamW turns differences of 1e-7 in small gradients into visible ones


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def augmentation(base: Base) -> ImageAugmentation | TextAugmentation:
    return ImageAugmentation() if base.modality == "image" else TextAugmentation(drop=0.3)


@contextmanager
def counted() -> Iterator[list[tuple[int, int]]]:
    """(cut, rows) of every prefix pass within."""
    own, calls = Stages.prefix, []

    def prefix(self: Stages, batch: tuple[torch.Tensor, ...], k: int) -> State:
        calls.append((k, len(batch[0])))
        return own(self, batch, k)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stages, "prefix", prefix)
        yield calls


def rows_passed(calls: list[tuple[int, int]]) -> int:
    return sum(rows for _, rows in calls if rows > 1)  # passes of one row measure the size


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("augmented", [False, True])
def test_cached_and_uncached_training_come_to_the_same(bases: Bases, kind: str, augmented: bool) -> None:
    base = bases(kind)
    given: dict[str, Any] = {"augmentation": augmentation(base), "views": 2} if augmented else {}
    phase = Phase(thaw=1, epochs=2.0, least_steps=1, rate=3e-4)
    job = job_of(base, phase, held=None, **given)
    with counted() as calls:
        cached = train(job)
    assert cached.prefix
    assert cached.rollbacks == 0
    assert rows_passed(calls) == 24 * (2 if augmented else 1)  # 24 is no multiple of 16, so no batch has one row
    uncached = train(replace(job, options=replace(job.options, cache_prefix=False)))
    assert uncached.prefix == ""
    assert difference(cached, uncached) < TOLERANCE
    assert cached.changes.tensors


def test_states_are_computed_once_a_view_whatever_is_trained(bases: Bases) -> None:
    base = bases("vit")
    job = job_of(base, Phase(thaw=1, epochs=6.0, least_steps=1), augmentation=ImageAugmentation(), views=3)
    with counted() as calls:
        train(job)
    assert rows_passed(calls) == 3 * 24 + 12  # the held-out rows as they are
    with counted() as calls:
        train(replace(job, recipe=replace(job.recipe, phases=(Phase(thaw=1, epochs=6.0, least_steps=1, rate=1e-5),))))
    assert rows_passed(calls) == 0


def test_thawing_deeper_caches_anew_lower(bases: Bases) -> None:
    job = job_of(bases("vit"), Phase(thaw=1, epochs=1.0, least_steps=1), Phase(thaw=2, epochs=1.0, least_steps=1))
    with counted() as calls:
        trained = train(job)
    cuts = list(dict.fromkeys(k for k, _ in calls))
    assert len(cuts) == 2
    assert cuts[0] > cuts[1]
    assert trained.prefix == trainee_of(job.base).stages.stages[cuts[0] - 1].name


def test_weights_that_moved_in_an_earlier_phase_are_never_taken_for_the_bases(bases: Bases) -> None:
    base = bases("bert")
    deep = Phase(thaw=1.0, epochs=1.0, least_steps=1, rate=1e-2, body=1.0)
    job = job_of(base, deep, Phase(thaw=0, epochs=1.0, least_steps=1), held=None)
    with counted() as calls:
        cached = train(job)
    assert rows_passed(calls) == 0
    uncached = train(replace(job, options=replace(job.options, cache_prefix=False)))
    assert difference(cached, uncached) < TOLERANCE
    again = train(job_of(base, Phase(thaw=0, epochs=1.0, least_steps=1), held=None))
    plain = train(job_of(base, Phase(thaw=0, epochs=1.0, least_steps=1), held=None, cache_prefix=False))
    assert difference(again, plain) < TOLERANCE  # the cache holds the base's own states


def test_a_run_from_anothers_weights_does_not_use_the_bases_states(bases: Bases) -> None:
    base = bases("vit")
    first = train(job_of(base, Phase(thaw=1.0, epochs=1.0, least_steps=1, rate=1e-2, body=1.0), held=None))
    train(job_of(base, Phase(thaw=1, epochs=1.0, least_steps=1), held=None))  # fills the cache
    job = job_of(base, Phase(thaw=1, epochs=1.0, least_steps=1), held=None, start=first.changes, head=first.head)
    uncached = train(replace(job, options=replace(job.options, cache_prefix=False)))
    assert difference(train(job), uncached) < TOLERANCE


def test_states_too_large_for_the_cache_are_computed_each_time(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(bases("bert"), Phase(thaw=1, epochs=2.0, least_steps=1), held=None)
    cached = train(job)
    monkeypatch.setenv("HEADSTART_CACHE_SIZE", "10K")
    with counted() as calls:
        uncached = train(job)
    assert rows_passed(calls) == 0
    assert cached.prefix
    assert uncached.prefix == ""
    assert difference(cached, uncached) < TOLERANCE


def test_the_size_of_texts_counts_the_long_ones(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    base = bases("bert")
    rows = rows_of(base, 24, vectors=False)
    trainee = trainee_of(base)
    tokens = sum(len(str(text).split()) for text in rows.inputs)
    prefix = PrefixFeed(feed_for(base, rows, None, 0), trainee, 1, "w", 1, CPU, torch.float32)
    need = tokens * 16 * 4 * 2  # half of the limit is allowed
    monkeypatch.setenv("HEADSTART_CACHE_SIZE", str(need))
    assert prefix.fits()
    monkeypatch.setenv("HEADSTART_CACHE_SIZE", str(need - 2))
    assert not prefix.fits()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_states_come_back_exactly(dtype: torch.dtype) -> None:
    random = torch.Generator().manual_seed(0)
    pictures = State(torch.randn(3, 4, 5, 6, generator=random).to(dtype), ())
    for row, blob in zip(pictures.hidden, _packed(pictures), strict=True):
        back = _unpacked(blob)
        assert back.dtype == dtype
        assert torch.equal(back, row)
    mask = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]])
    texts = State(torch.randn(2, 4, 5, generator=random).to(dtype), (mask, mask))
    for row, blob, length in zip(texts.hidden, _packed(texts), (3, 1), strict=True):
        assert torch.equal(_unpacked(blob), row[:length])


def test_states_in_bfloat16_are_what_an_uncached_pass_has(bases: Bases) -> None:
    base = bases("bert")
    rows = rows_of(base, 6, vectors=False)
    trainee = trainee_of(base)
    cut = trainee.stages.cuts[-1]
    supply = Supply(feed_for(base, rows, None, 0), trainee, cut, "w", None, CPU, torch.bfloat16)
    assert supply.prefix
    batches = [np.arange(6)]  # of one length with what the cache was filled by
    (state,) = supply.prefix.stream(batches, None)
    (batch,) = supply.feed.stream(batches, None)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        direct = trainee.stages.prefix(batch, cut)
        whole, _ = trainee(batch, 0)
        from_state, _ = trainee(state, cut)
    assert state.hidden.dtype == direct.hidden.dtype
    mask = batch[1].bool()
    assert torch.equal(state.hidden[mask], direct.hidden[mask])
    assert torch.allclose(whole.float(), from_state.float(), atol=1e-2)


def test_rows_of_equal_content_share_a_state(bases: Bases) -> None:
    base = bases("vit")
    rows = rows_of(base, 12)
    twice = rows.take(np.concatenate([np.arange(12), np.arange(12)]))
    job = job_of(base, Phase(thaw=1, epochs=2.0, least_steps=1), train=twice, head=head_of(rows), held=None)
    with counted() as calls:
        cached = train(job)
    assert rows_passed(calls) == 12
    assert difference(cached, train(replace(job, options=replace(job.options, cache_prefix=False)))) < TOLERANCE


def test_two_processes_fill_one_cache(bases: Bases) -> None:
    base = bases("bert")
    rows = rows_of(base, 40, vectors=False)
    trainee = trainee_of(base)
    for number in range(2):
        supply = Supply(feed_for(base, rows, None, 0), trainee, 1, "w", None, CPU, torch.float32, (number, 2))
        assert supply.prefix
        taken = list(supply.prefix.stream([np.arange(20) * 2 + number], None))
        assert len(taken[0].hidden) == 20
    assert [use.rows for use in spaces()] == [40]


@contextmanager
def between_batches(change: Callable[[PrefixFeed], None]) -> Iterator[None]:
    """Within, ``change`` happens before each batch of states is read, as another process would make it."""
    own = PrefixFeed._blobs

    def blobs(self: PrefixFeed, *arguments: Any) -> Any:
        change(self)
        return own(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PrefixFeed, "_blobs", blobs)
        yield


def trimmed(prefix: PrefixFeed) -> None:
    with FeatureCache(prefix.space(None)) as cache:
        cache.trim(0)


def removed(prefix: PrefixFeed) -> None:
    prune(0)


def damaged(prefix: PrefixFeed) -> None:
    path = FeatureCache(prefix.space(None)).path
    path.write_bytes(path.read_bytes()[:4096] + b"x" * 40960)


@pytest.mark.parametrize("kind", ["vit", "bert"])
@pytest.mark.parametrize("change", [trimmed, removed, damaged])
@pytest.mark.filterwarnings("ignore::headstart.errors.HeadstartWarning")
def test_states_that_another_run_drops_are_computed_again(
    bases: Bases, kind: str, change: Callable[[PrefixFeed], None]
) -> None:
    job = job_of(bases(kind), Phase(thaw=1, epochs=2.0, least_steps=1, rate=3e-4), held=None)
    with between_batches(change), counted() as calls:
        cached = train(job)
    assert cached.prefix
    assert rows_passed(calls) >= 24
    uncached = train(replace(job, options=replace(job.options, cache_prefix=False)))
    assert difference(cached, uncached) < TOLERANCE


def test_trimming_spares_the_rows_of_the_run(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier run's states of other rows fill the file; ours, some of them there before, must all be left."""
    base = bases("vit")
    phase = Phase(thaw=1, epochs=3.0, least_steps=1)
    job = job_of(base, phase, held=None)
    train(replace(job, train=job.train.take(np.arange(12))))  # the oldest in the file
    others = rows_of(base, 200, seed=9)
    train(replace(job, train=others))
    [use] = spaces()
    monkeypatch.setenv("HEADSTART_CACHE_SIZE", str(use.bytes // 3))
    with counted() as calls:
        assert train(job).prefix
    assert rows_passed(calls) == 12
    [use] = spaces()
    assert use.rows < 200  # and the file was trimmed


def test_mixup_of_pictures_blends_states(bases: Bases) -> None:
    trained = train(job_of(bases("vit"), Phase(thaw=1, epochs=2.0, least_steps=1), mixup=0.4, held=None))
    assert trained.prefix
    assert all(np.isfinite(t).all() for t in trained.changes.tensors.values())
