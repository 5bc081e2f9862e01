"""Each word is given a token of its own text, whatever the tokenizer does to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from headstart.errors import SettingError
from headstart.modalities import get
from headstart.modalities.text import TextSpec
from headstart.modalities.text.augment import TextAugmentation
from headstart.modalities.text.tokens import NO_TOKEN, NO_WORD, Tokens
from headstart.modalities.text.words import Words, first_tokens
from headstart.modalities.types import ReadAs
from headstart.modalities.windows import windows_of

CORPUS = [
    "Angela Merkel doesn't live in New York",
    "rock'n'roll is here to stay 😀 yes",
    "the café in 東京 is über-good",
    "prices rose 3.5 % in Q3",
]
TEXT = "Zoë doesn't visit 東京 😀👍🏽 café-bars (3.5 %)"


def word_piece() -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=120, special_tokens=["[UNK]", "[C]", "[S]"]))
    made.post_processor = processors.TemplateProcessing("[C] $A [S]", special_tokens=[("[C]", 1), ("[S]", 2)])
    return made


def byte_level() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    made.post_processor = processors.ByteLevel(trim_offsets=False)  # tokens then hold the blank before them
    return made


def unigram() -> Tokenizer:
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.train_from_iterator(
        CORPUS, trainers.UnigramTrainer(vocab_size=90, unk_token="<unk>", special_tokens=["<unk>"])
    )
    made.post_processor = processors.TemplateProcessing("<unk> $A", special_tokens=[("<unk>", 0)])
    return made


KINDS = {"WordPiece": word_piece, "byte-level BPE": byte_level, "SentencePiece": unigram}


def tokens_of(folder: Path, made: Tokenizer, max_tokens: int = 256) -> Tokens:
    made.save(str(folder / "tokenizer.json"))
    return Tokens(ReadAs(TextSpec(max_tokens, words=True), folder / "tokenizer.json"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [*CORPUS, TEXT])
def test_a_word_is_given_the_token_that_holds_its_first_character(kind, text, tmp_path):
    made = KINDS[kind]()
    words = Words(text)
    encoded = made.encode(text)
    (places,) = tokens_of(tmp_path, made).ids([words]).words_of(0)
    assert len(places) == len(words.bounds)
    for word, place in zip(words.bounds.tolist(), places.tolist(), strict=True):
        start, end = encoded.offsets[place]
        assert start <= word[0] < end
        assert place == 0 or encoded.offsets[place - 1][1] <= word[0] or encoded.special_tokens_mask[place - 1]


@pytest.mark.parametrize("kind", KINDS)
def test_words_that_were_told_need_not_be_those_that_would_be_found(kind, tmp_path):
    told = Words.of(["rock'n'roll", "is", "Q3-prices", "東京", "😀👍🏽"])
    encoded = KINDS[kind]().encode(told)
    (places,) = tokens_of(tmp_path, KINDS[kind]()).ids([told]).words_of(0)
    held = [(encoded.offsets[p], start) for p, (start, _) in zip(places.tolist(), told.bounds.tolist(), strict=True)]
    assert all(a <= start < b for (a, b), start in held)
    assert len({*places.tolist()}) == 5


def test_words_without_a_token_of_their_own_take_the_one_before_or_the_first():
    spans = np.array([[0, 5], [6, 8], [8, 11]])  # of "cat's \u200b…"
    bounds = np.array([[0, 3], [3, 5], [5, 6], [6, 11], [11, 12]])
    assert first_tokens(bounds, spans).tolist() == [0, 0, 0, 1, 2]
    assert first_tokens(np.array([[0, 1], [2, 4]]), np.array([[3, 4]])).tolist() == [0, 0]
    assert first_tokens(np.array([[0, 1]]), np.zeros((0, 2), int)).tolist() == [-1]
    assert first_tokens(np.zeros((0, 2), int), spans).tolist() == []


def test_characters_that_a_tokenizer_drops_lose_no_word(tmp_path):
    made = word_piece()
    text = Words.of(["\u200d", "the", "\u200dcafé", "\u200b\u200d", "is"])
    (places,) = tokens_of(tmp_path, made).ids([text]).words_of(0)
    encoded = made.encode(text)
    assert len(places) == 5
    assert places.tolist() == sorted(places.tolist())
    assert [encoded.tokens[p][:1] for p in (places[1], places[2], places[4])] == ["t", "c", "i"]
    assert places[3] == places[2] or encoded.offsets[places[3]][0] < text.bounds[3][0]
    assert places[0] > 0, "not a special token where there are others"


def test_a_text_without_any_token_has_its_words_counted_as_not_read(tmp_path):
    made = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1}, unk_token="[UNK]"))
    made.normalizer = normalizers.Replace("x", "")
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    found = tokens_of(tmp_path, made).ids(["x xx", "the"])
    assert found.words_of(0)[0].tolist() == [NO_TOKEN, NO_TOKEN]
    assert found.read.tolist() == [[2, 2], [1, 0]]
    sentence = get("text").reading(TextSpec(8, words=True), found.read).sentence
    assert "1 have no token that the base knows, and their 2 words no features" in sentence


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_tokens", [8, 20, 61])
def test_each_word_of_a_long_text_is_read_once_in_the_window_with_most_around_it(kind, max_tokens, tmp_path):
    made, words = KINDS[kind](), Words(" ".join(CORPUS * 30))
    encoded, tokens = made.encode(words), tokens_of(tmp_path, made, max_tokens)
    found = tokens.ids([words, TEXT])
    windows, places = found[0], found.words_of(0)
    assert len(windows) == len(places) > 8, "more than the default number of windows"
    assert found.unread.tolist() == [0, 0]
    assert sum(map(len, places)) == len(words.bounds)
    (whole,) = tokens_of(tmp_path, made, 10**6).ids([words]).words_of(0)
    read = np.concatenate([windows[i][own] for i, own in enumerate(places)])
    assert read.tolist() == [encoded.ids[p] for p in whole]
    before = sum(encoded.special_tokens_mask[:1])
    after = sum(encoded.special_tokens_mask[-1:])
    first, last = before, windows.shape[1] - after - 1
    for i, own in enumerate(places[1:-1], 1):  # words near an inner edge are read in the neighbouring window
        edge = min(own.min() - first, last - own.max())
        assert edge >= max_tokens // 8 // 2 - 1, i


def test_homes_of_tokens_follow_the_nearer_middle():
    found = windows_of(100, 30, 99)
    home = found.home(np.arange(100))
    middle = found.starts + (found.width - 1) / 2
    assert (np.abs(np.arange(100) - middle[home]) == np.abs(np.arange(100)[:, None] - middle).min(axis=1)).all()
    assert (np.diff(home) >= 0).all()


def test_a_text_of_over_a_million_characters_is_read_like_any_other(tmp_path):
    made, one = word_piece(), " ".join(CORPUS)
    words = Words(" ".join([one] * 9000))
    assert len(words) > 2**20
    found = tokens_of(tmp_path, made, 64).ids([words])
    read = np.concatenate([found[0][i][own] for i, own in enumerate(found.words_of(0))])
    (few,) = tokens_of(tmp_path, made, 512).ids([Words(one)]).words_of(0)
    expected = [made.encode(one).ids[p] for p in few] * 9000
    assert read.tolist() == expected


def test_batches_pad_words_and_windows(tmp_path):
    tokens = tokens_of(tmp_path, word_piece(), 12)
    found = tokens.ids(["the café", "is here", " ".join(CORPUS)])
    ids, mask, words = tokens.padded([found[i] for i in (0, 1)], [found.words_of(i) for i in (0, 1)])
    assert ids.shape == mask.shape
    assert (words[0, :2] >= 0).all()
    assert (words[:, 2:] == NO_WORD).all()
    ids, mask, words = tokens.padded([found[i] for i in (0, 2)], [found.words_of(i) for i in (0, 2)])
    assert ids.shape[:2] == words.shape[:2] == (2, len(found[2]))
    assert (words[0, 1:] == NO_WORD).all()
    assert (words != NO_WORD).sum() == 2 + len(Words(" ".join(CORPUS)).bounds)


# --- Keys and settings -------------------------------------------------------------------------------


def test_equal_texts_share_a_key_where_their_words_are_equal():
    text = get("text")
    plain, split = text.content_key("a b, c"), text.content_key(Words("a b, c"))
    joined = text.content_key(Words.of(["a", "b,", "c"]))
    assert plain == split
    assert joined != plain
    assert text.content_key(Words.of(["a", "b", "c"])) == text.content_key("a b c")


def test_a_spec_without_words_says_what_it_always_said():
    assert TextSpec(256, 8).to_dict() == {"max_tokens": 256, "windows": 8}
    assert TextSpec(256).to_dict() == {"max_tokens": 256}
    spec = TextSpec(256, 8, words=True)
    assert spec.to_dict() == {"max_tokens": 256, "words": True}
    assert TextSpec.from_dict(spec.to_dict()).words


def test_words_of_plain_texts_are_found_and_counted():
    text, spec = get("text"), TextSpec(16, words=True)
    assert text.decode("it's on", spec).tokens == ["it", "'", "s", "on"]
    assert text.counts(["it's on", Words.of(["it's", "on"]), None], spec).tolist() == [4, 2, 0]
    assert text.counts(["it's on"], TextSpec(16)) is None


def test_texts_whose_words_are_answered_are_not_changed_at_random(tmp_path):
    text, spec = get("text"), TextSpec(16, words=True)
    word_piece().save(str(tmp_path / "tokenizer.json"))
    base = ReadAs(spec, tmp_path / "tokenizer.json")
    with pytest.raises(SettingError, match="leave augmentation at its default"):
        text.augmentation("corruption", ("O", "B-X"), 5, spec)
    with pytest.raises(SettingError, match="part and join words"):
        text.feed(base, [], TextAugmentation(), 0)
    assert text.augmentation("default", ("O", "B-X"), 5, spec)[0] is None
    assert "left as they are" in text.damage(spec)
