"""An adapted base: only what differs is kept, and it works where a base works."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.bases.adapted import AdaptedBase, adapter_changes, changes_of, state_of
from headstart.bases.adapters import KINDS, Lora, inject
from headstart.bases.catalogue import open_base
from headstart.bases.changes import Changes
from headstart.bases.runtime import graph_path, remembered
from headstart.data.table import objects
from headstart.errors import BaseError
from headstart.training.features import extract
from tests.bases.checkpoints import bert_folder, timm_folder, vit_folder
from tests.bases.test_adapters import answer, trained

TEXTS = objects(["the cat sat", "my card is late", "the dog ran on a mat", "new parcel lost"])


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def pictures(count=4):
    return objects(np.random.default_rng(0).integers(0, 255, (count, 40, 40, 3), dtype=np.uint8))


def opened(kind, tmp_path):
    if kind == "bert":
        return open_base(str(bert_folder(tmp_path / kind)), "text"), TEXTS
    return open_base(str({"vit": vit_folder, "timm": timm_folder}[kind](tmp_path / kind)), "image"), pictures()


def moved(network, part):
    """Change the tensors whose name holds ``part``, as training would."""
    torch.manual_seed(3)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if part in name and tensor.is_floating_point():
                tensor.add_(torch.rand_like(tensor) * 0.1)


def again(changes):
    return Changes.from_bytes(changes.to_bytes(), changes.lora, changes.total)


def test_only_tensors_that_differ_are_kept(tmp_path):
    base, _ = opened("timm", tmp_path)
    network = base.network()
    before = state_of(network)
    assert changes_of(before, network).tensors == {}
    moved(network, "layer4.0.bn1")
    network.body.layer4[0].bn1.num_batches_tracked += 1
    changes = changes_of(before, network)
    bn = "body.layer4.0.bn1."
    assert set(changes.tensors) == {
        bn + name for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    }
    assert {array.dtype.name for array in changes.tensors.values()} == {"float32", "int64"}
    assert changes.numbers == 4 * 512 + 1
    assert changes.to_dict()["share"] == pytest.approx(changes.numbers / sum(t.numel() for t in before.values()))


def test_later_training_does_not_reach_the_changes(tmp_path):
    base, _ = opened("timm", tmp_path)
    network = base.network()
    before = state_of(network)
    moved(network, "layer4")
    changes = changes_of(before, network)
    digest = changes.digest()
    moved(network, "layer4")
    assert changes.digest() == digest


@pytest.mark.parametrize(("kind", "part"), [("timm", "layer4"), ("vit", "layer"), ("bert", "encoder")])
def test_the_same_function_again(kind, part, tmp_path):
    base, _ = opened(kind, tmp_path)
    network = base.network()
    before = state_of(network)
    moved(network, part)
    adapted = AdaptedBase(base, again(changes_of(before, network)))
    assert torch.equal(answer(adapted.network()), answer(network))
    assert not torch.equal(answer(adapted.network()), answer(base.network()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("base", ["bert", "vit"])
def test_adapters_again(base, kind, tmp_path):
    base, _ = opened(base, tmp_path)
    network, lora = base.network(), Lora(kind, rank=2, dropout=0.1)
    inject(network, lora)
    trained(network)
    changes = again(adapter_changes(network, lora))
    assert changes.lora == lora
    assert all(array.size < 16 * 32 for array in changes.tensors.values())
    adapted = AdaptedBase(base, changes).network()
    torch.testing.assert_close(answer(adapted), answer(network), atol=1e-5, rtol=0)
    assert adapted.state_dict().keys() == base.network().state_dict().keys()


def test_a_network_with_adapters_is_not_compared(tmp_path):
    base, _ = opened("vit", tmp_path)
    network = base.network()
    before = state_of(network)
    inject(network, Lora())
    with pytest.raises(BaseError, match="fold adapters in"):
        changes_of(before, network)


@pytest.mark.parametrize("kind", ["bert", "vit"])
def test_it_works_where_a_base_works(kind, tmp_path):
    base, inputs = opened(kind, tmp_path)
    network = base.network()
    before = state_of(network)
    moved(network, "layer")
    changes = changes_of(before, network)
    adapted = AdaptedBase(base, changes)
    plain, cold = extract(base, inputs, classical=True), extract(adapted, inputs, classical=True)
    warm = extract(AdaptedBase(base, again(changes)), inputs, classical=True)
    assert (plain.computed, cold.computed, warm.computed) == (4, 4, 0)
    assert not np.allclose(cold.vectors, plain.vectors, atol=1e-3)
    np.testing.assert_array_equal(warm.vectors, cold.vectors)
    assert graph_path(adapted) != graph_path(base)
    assert graph_path(adapted).exists()
    assert remembered(adapted) is not None
    expected = reference(network, base, inputs)
    np.testing.assert_allclose(cold.vectors, expected, atol=1e-4 if cold.dtype == "float32" else 0.05)


def reference(network, base, inputs):
    """What the trained network itself gives, one input a batch."""
    from headstart.modalities import get
    from headstart.modalities.text.tokens import Tokens

    if base.modality == "text":
        tokens = Tokens(base)
        batches = [tokens.padded(tokens.ids([text])) for text in inputs]
    else:
        batches = [(get("image").decode(picture, base.spec)[None],) for picture in inputs]
    with torch.no_grad():
        return np.concatenate([network(*(torch.from_numpy(a) for a in batch)).numpy() for batch in batches])


def test_identity(tmp_path):
    base, _ = opened("bert", tmp_path)
    one = Changes({"b": np.ones(3, np.float32), "a": np.zeros((2, 2), np.float32)})
    turned = Changes(dict(reversed(one.tensors.items())))
    adapted, same = AdaptedBase(base, one), AdaptedBase(base, turned)
    assert adapted.identity == same.identity
    assert adapted.identity.name == base.identity.name
    assert adapted.identity.weights != base.identity.weights
    assert len(adapted.identity.weights) == 64
    assert adapted.preprocessing() == base.preprocessing()
    assert (adapted.width, adapted.modality, adapted.spec) == (base.width, base.modality, base.spec)


def test_a_digest_for_each_content():
    arrays = np.arange(6, dtype=np.float32)
    kinds = [
        Changes({"a": arrays}),
        Changes({"b": arrays}),
        Changes({"a": arrays.reshape(2, 3)}),
        Changes({"a": arrays.view(np.int32)}),
        Changes({"a": arrays}, Lora()),
        Changes({"a": arrays}, Lora("dora")),
        Changes({"a": arrays[:3], "b": arrays[3:]}),
    ]
    assert len({changes.digest() for changes in kinds}) == len(kinds)
    assert all(again(changes).digest() == changes.digest() for changes in kinds)
    # of another day: what a bundle written before must give again
    assert kinds[0].digest() == "fc8ff6a8d54258b44298c9a144326398d093fa8cd5923d7f3339b99db710fe96"


@pytest.mark.parametrize("tensors", [{"body.none": np.zeros(2, np.float32)}, {"body.conv1.0.weight": np.zeros(2)}])
def test_changes_of_another_base_are_refused(tensors, tmp_path):
    base, _ = opened("timm", tmp_path)
    with pytest.raises(BaseError, match="do not fit the base"):
        AdaptedBase(base, Changes(tensors)).network()
    with pytest.raises(BaseError, match="do not fit the base"):
        AdaptedBase(opened("vit", tmp_path)[0], Changes(tensors, Lora())).network()


def test_looking_at_changes_needs_no_torch():
    import subprocess
    import sys

    code = (
        "import sys, headstart.bases.adapted as a, headstart.bases.changes as c; c.Changes({}, c.Lora()).digest(); "
        "print('torch' in sys.modules or 'peft' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
