"""What licences allow, and the gate before commercial use."""

from __future__ import annotations

import pytest

from headstart.bases.identity import Ancestor, Identity
from headstart.bases.licences import commercial_use, refuse_unlicensed
from headstart.bases.table import shipped
from headstart.errors import BaseError, SettingError


@pytest.mark.parametrize(
    ("licence", "use"),
    [
        ("Apache-2.0", "yes"),
        ("mit", "yes"),
        ("BSD-3-Clause", "yes"),
        ("CC-BY-4.0", "yes"),
        ("GPL-3.0-only", "yes"),
        ("creativeml-openrail-m", "yes"),
        ("llama3.2", "yes"),
        ("CC-BY-NC-4.0", "no"),
        ("cc-by-nc-sa-3.0", "no"),
        ("qwen-research", "no"),
        ("OPT-175B", "no"),
        ("other", "unknown"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("cc-by-nd-4.0", "unknown"),  # an adapted base is a derivative
    ],
)
def test_commercial_use(licence, use):
    assert commercial_use(licence) == use


def test_the_table_agrees():
    for entry in shipped().values():
        assert entry.commercial == commercial_use(entry.licence), entry.name


def identity(licence: str, name: str = "lab/net", source: str = "hub lab/net", lineage: tuple[Ancestor, ...] = ()):
    return Identity(name, source, "1", "abc", licence, "unknown", lineage)


@pytest.mark.parametrize("wanted", [None, "any"])
def test_nothing_is_refused_unasked(wanted):
    refuse_unlicensed(identity("CC-BY-NC-4.0"), wanted)


def test_a_free_licence_passes():
    refuse_unlicensed(identity("apache-2.0"), "commercial")


@pytest.mark.parametrize(
    ("licence", "said"),
    [
        ("CC-BY-NC-4.0", "base 'lab/net': licence CC-BY-NC-4.0 forbids commercial use"),
        ("unknown", "base 'lab/net': licence unknown"),
        ("other", "base 'lab/net': commercial use unknown under licence other"),
    ],
)
def test_other_licences_are_refused(licence, said):
    with pytest.raises(BaseError, match=f"^{said}, and --licence commercial was asked for"):
        refuse_unlicensed(identity(licence), "commercial")


def test_what_a_base_was_made_from_counts():
    root = Ancestor("lab/root", "hub lab/root", "1", "def", "CC-BY-NC-4.0")
    with pytest.raises(BaseError, match=r"'lab/net': made from 'lab/root': licence CC-BY-NC-4\.0 forbids"):
        refuse_unlicensed(identity("mit", lineage=(root,)), "commercial")


def test_a_run_of_ones_own_is_under_the_licences_of_its_base():
    name, source = "openai-community/gpt2", "hub openai-community/gpt2"
    root, run = Ancestor(name, source, "1", "def"), Ancestor("mine", "run mine", "today", "abc")
    refuse_unlicensed(identity("unknown", name, source, lineage=(root, run)), "commercial")


def test_the_table_speaks_where_the_weights_say_nothing():
    refuse_unlicensed(identity("unknown", "openai-community/gpt2@main", "hub openai-community/gpt2"), "commercial")
    with pytest.raises(BaseError, match="licence OPT-175B forbids"):
        refuse_unlicensed(identity("other", "facebook/opt-125m", "hub facebook/opt-125m"), "commercial")


def test_a_folder_called_like_a_base_borrows_no_licence():
    with pytest.raises(BaseError, match="licence unknown"):
        refuse_unlicensed(identity("unknown", "openai-community/gpt2", "folder openai-community/gpt2"), "commercial")


def test_another_word_is_refused():
    with pytest.raises(SettingError, match=r"licence 'comercial' is unknown; it is any or commercial"):
        refuse_unlicensed(identity("mit"), "comercial")
