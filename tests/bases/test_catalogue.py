"""The table of bases: true to timm, added to by other distributions, chosen from with reasons."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headstart.bases.catalogue import EMBEDDED, choose, default_base, entries, entry_of, open_base
from headstart.bases.choosing import parse_parameters
from headstart.bases.entry import Entry
from headstart.bases.table import shipped
from headstart.errors import BaseError, SettingError
from headstart.terminal.bases import bases_text

TIMM = {name: entry for name, entry in shipped().items() if entry.source == "timm"}
IMAGES = (
    "resnet",
    "vgg",
    "inception",
    "mobilenet",
    "efficientnet",
    "convnext",
    "vit_",
    "dinov2",
    "clip",
    "siglip",
    "swin",
)
TEXTS = (
    "bert-",
    "roberta",
    "distilbert",
    "deberta",
    "multilingual-e5",
    "bge",
    "minilm",
    "gpt2",
    "opt-",
    "llama",
    "qwen",
    "t5",
)
AUDIO = ("whisper", "wav2vec2", "hubert", "ast-")


@pytest.mark.parametrize(("modality", "families"), [("image", IMAGES), ("text", TEXTS), ("audio", AUDIO)])
def test_well_known_families_are_there(modality, families):
    names = [entry.name.lower() for entry in shipped().values() if entry.modality == modality]
    assert [family for family in families if not any(family in name for name in names)] == []


def test_every_row_is_complete():
    for entry in shipped().values():
        assert entry.paper.startswith("https://")
        assert entry.architecture
        assert entry.trained_on
        assert entry.licence
        assert entry.source in ("timm", "hub") or entry.embedded


def test_timm_knows_every_row_as_the_table_has_it():
    from timm.models import get_pretrained_cfg, is_model_pretrained

    for name, entry in TIMM.items():
        assert is_model_pretrained(name), name
        config = get_pretrained_cfg(name)
        assert entry.licence.lower() == config.license, name
        assert entry.input == config.input_size[-1], name
        assert entry.modality == "image"


def test_timm_builds_every_row_with_the_tables_size_and_width():
    import timm
    import torch

    for name, entry in TIMM.items():
        with torch.device("meta"):
            model = timm.create_model(name, num_classes=0)
        parameters = sum(p.numel() for p in model.parameters()) / 1e6
        assert entry.parameters == pytest.approx(parameters, rel=0.01), name
        assert entry.width == getattr(model, "head_hidden_size", model.num_features), name


def test_embedded_rows_agree_with_their_bases():
    for name, entry in EMBEDDED.items():
        base = open_base(name, entry.modality)
        assert base.width == entry.width
        assert base.identity.source.startswith(f"{entry.source} ")
        assert (base.identity.licence, base.identity.trained_on) == (entry.licence, entry.trained_on)
        parameters = sum(p.numel() for p in base.network().parameters()) / 1e6
        assert entry.parameters == pytest.approx(parameters, rel=0.02)


def test_the_default_of_each_modality_is_embedded():
    assert default_base("image") == "efficientnet_lite0"
    assert default_base("text") == "all-MiniLM-L6-v2"


def test_the_table_needs_neither_torch_nor_timm():
    code = (
        "import sys; from headstart.bases.catalogue import choose; choose('image', 'commercial', 30); "
        "sys.exit(bool({'torch', 'timm', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


ROW = {
    "modality": "image",
    "source": "hub",
    "architecture": "ResNet-18",
    "parameters": 11.2,
    "width": 512,
    "input": 224,
    "trained_on": "slides",
    "licence": "unknown",
    "commercial": "unknown",
    "paper": "https://example.org",
}


def distribution(root: Path, body: str) -> None:
    """An installed distribution "lab-bases" whose entry point is ``rows`` of a module with ``body``."""
    (root / "lab_bases.py").write_text(f"from headstart.bases.entry import Entry\nROW = {ROW!r}\n{body}\n")
    info = root / "lab_bases-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-bases\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headstart.bases]\nlab = lab_bases:rows\n")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lab_bases", raising=False)
    yield lambda body: distribution(tmp_path, body)
    sys.modules.pop("lab_bases", None)


def test_another_distribution_adds_rows(lab):
    lab("def rows():\n    yield Entry(name='lab/slides-resnet18', **ROW)")
    assert entry_of("lab/slides-resnet18") == Entry(name="lab/slides-resnet18", **ROW)
    assert list(entries())[: len(shipped())] == list(shipped())
    left_out = {one.name: one.reason for one in choose("image", "commercial").left_out}
    assert left_out["lab/slides-resnet18"] == "licence unknown"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "def rows():\n    return [Entry(name='vgg16.tv_in1k', **ROW)]",
            "'lab-bases' adds a base 'vgg16",
        ),
        ("def rows():\n    return [ROW]", "'lab-bases' gives a base as dict"),
        ("def rows():\n    return 1 / 0", "'lab-bases' could not give its bases .*ZeroDivisionError"),
        ("def rows():\n    return [Entry(name='a', **{**ROW, 'modality': 'smell'})]", "'lab-bases' .*modality 'smell'"),
        ("raise ImportError('no lab')", "'lab-bases' could not give its bases .*no lab"),
    ],
)
def test_rows_that_cannot_serve_name_their_distribution(lab, body, said):
    lab(body)
    with pytest.raises(BaseError, match=said):
        entries()


def test_what_is_left_out_is_said_with_the_reason():
    chosen = choose("image", "commercial", 30)
    assert {entry.name for entry in chosen.kept} >= {"efficientnet_lite0", "resnet50.a1_in1k"}
    assert all(e.modality == "image" and e.parameters <= 30 and e.commercial == "yes" for e in chosen.kept)
    reasons = {one.name: one.reason for one in chosen.left_out}
    assert reasons["convnextv2_nano.fcmae_ft_in22k_in1k"] == "licence CC-BY-NC-4.0 forbids commercial use"
    assert reasons["resnet101.a1h_in1k"] == "42.5 M parameters, over 30 M"
    both = "licence CC-BY-NC-4.0 forbids commercial use; 85.8 M parameters, over 30 M"
    assert reasons["vit_base_patch16_224.mae"] == both
    images = {name for name, entry in entries().items() if entry.modality == "image"}
    assert {e.name for e in chosen.kept} | set(reasons) == images


def test_nothing_is_left_out_unasked():
    for licence in (None, "any"):
        chosen = choose(licence=licence)
        assert len(chosen.kept) == len(entries())
        assert chosen.left_out == ()


def test_a_selection_goes_into_json():
    values = choose("text", "commercial").to_dict()
    assert values["kept"][0]["name"] == "all-MiniLM-L6-v2"
    assert values["left_out"][0] == {
        "name": "facebook/opt-125m",
        "reason": "licence OPT-175B forbids commercial use",
        "ground": "licence OPT-175B forbids commercial use",
    }


@pytest.mark.parametrize(
    ("text", "millions"), [("30M", 30), ("1.5B", 1500), ("300k", 0.3), ("30000000", 30), (" 30m ", 30), ("30_000k", 30)]
)
def test_numbers_of_parameters(text, millions):
    assert parse_parameters(text) == pytest.approx(millions)


@pytest.mark.parametrize("text", ["", "M", "30G", "thirty", "-3M", "0", "30", "nan", "inf"])
def test_what_is_no_number_of_parameters_is_refused(text):
    with pytest.raises(SettingError, match=r"write it like 300k, 30M or 1\.5B"):
        parse_parameters(text)


def test_unknown_words_are_refused_with_the_nearest():
    with pytest.raises(SettingError, match=r"licence 'comercial' .* Did you mean 'commercial'\?"):
        choose(licence="comercial")
    with pytest.raises(SettingError, match=r"modality 'images' .* Did you mean 'image'\?"):
        choose("images")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gpt2", "openai-community/gpt2"),
        ("bert-base-uncased", "google-bert/bert-base-uncased"),
        ("resnet5O", "resnet50"),
    ],
)
def test_an_unknown_name_offers_names_of_the_table_and_of_timm(name, meant):
    with pytest.raises(BaseError, match=rf"no base is called '{name}'.*Did you mean .*'{meant}'"):
        open_base(name, "image")


def test_an_unknown_tag_of_timm_offers_those_there_are():
    with pytest.raises(BaseError, match=r"timm has no weights 'resnet18\.a9_in1k'.*Did you mean 'resnet18\.a"):
        open_base("resnet18.a9_in1k", "image")


def test_all_of_every_base_fits_too_and_is_shown_on_demand(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(len(line) for line in bases_text(choose()).splitlines()) <= 80
    lines = bases_text(choose(), verbose=True).splitlines()
    assert max(map(len, lines)) <= 80
    shown = " ".join(" ".join(lines).split())
    assert [one.trained_on for one in choose().kept if f"trained on {one.trained_on}" not in shown] == []


def test_the_text_says_counts_first_and_fits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = bases_text(choose("image", "commercial", 30))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("image, ")
    assert any(line.startswith("efficientnet_lite0 *") for line in lines)
    assert "not for commercial use" not in text
    start = next(i for i, line in enumerate(lines) if line.startswith("left out: "))
    counts = [int(line.split()[0]) for line in lines[start + 1 : lines.index("", start)]]
    assert counts == sorted(counts, reverse=True)
    assert lines[start].startswith(f"left out: {sum(counts)} of ")
    assert "over 30 M parameters: resnet101.a1h_in1k" in lines[start + 1]


def test_the_text_names_licences_that_forbid_and_says_when_nothing_fits():
    assert "not for commercial use: OPT-175B, qwen-research" in bases_text(choose("text"))
    assert bases_text(choose("text", max_params=0.5)).startswith("No base of the catalogue fits.")
