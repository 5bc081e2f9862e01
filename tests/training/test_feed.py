from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from headstart.bases.base import Base
from headstart.modalities.image.augment import ImageAugmentation
from headstart.modalities.text.augment import TextAugmentation
from headstart.training.feed import Feed, feed_for
from tests.training.small import rows_of

Bases = Callable[[str], Base]


def feed_of(base: Base, count: int, *, augmented: bool = False, seed: int = 0) -> Feed:
    how = (ImageAugmentation() if base.modality == "image" else TextAugmentation(drop=0.4)) if augmented else None
    return feed_for(base, rows_of(base, count, vectors=False), how, seed)


@pytest.mark.parametrize("kind", ["vit", "bert"])
@pytest.mark.parametrize(("count", "batch"), [(33, 8), (17, 8), (8, 8), (3, 8), (1, 4), (850, 8)])
def test_an_epoch_is_every_row_once_in_even_batches(bases: Bases, kind: str, count: int, batch: int) -> None:
    if kind == "vit" and count > 100:
        pytest.skip("the order of pictures does not depend on their number")
    feed = feed_of(bases(kind), count)
    batches = feed.order(0, batch)
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert len(batches) == -(-count // batch)
    sizes = [len(rows) for rows in batches]
    assert max(sizes) <= batch
    assert min(sizes) > 1 or count == 1


@pytest.mark.parametrize("kind", ["vit", "bert"])
def test_the_order_is_of_seed_and_epoch_alone(bases: Bases, kind: str) -> None:
    base = bases(kind)
    order = np.concatenate(feed_of(base, 40).order(3, 8))
    assert np.array_equal(order, np.concatenate(feed_of(base, 40).order(3, 8)))
    assert not np.array_equal(order, np.concatenate(feed_of(base, 40).order(4, 8)))
    assert not np.array_equal(order, np.concatenate(feed_of(base, 40, seed=1).order(3, 8)))


@pytest.mark.parametrize("kind", ["vit", "bert"])
def test_a_view_is_of_the_rows_content_and_not_its_place(bases: Bases, kind: str) -> None:
    base = bases(kind)
    feed = feed_of(base, 12, augmented=True)
    turned = feed_for(base, feed.rows.take(np.arange(12)[::-1]), feed.augmentation, 0)
    for row in range(12):
        (first,), (other,) = feed.stream([np.array([row])], 2), turned.stream([np.array([11 - row])], 2)
        assert all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    one, two = next(feed.stream([np.arange(12)], 0)), next(feed.stream([np.arange(12)], 1))
    assert one[0].shape != two[0].shape or not np.array_equal(one[0], two[0])


def test_texts_of_a_batch_are_of_like_length(bases: Bases) -> None:
    feed = feed_of(bases("bert"), 200)
    widths = [int(mask.sum(1).max() - mask.sum(1).min()) for _, mask in feed.stream(feed.order(0, 8), None)]
    assert max(widths) <= 2


def test_a_broken_off_stream_leaves_no_threads_at_work(bases: Bases) -> None:
    stream = feed_of(bases("vit"), 40).stream([np.arange(4)] * 10, None)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        next(stream)
