"""Words with tags: every form they come in, and each way in which they can be broken."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from headstart.data.asked import gather
from headstart.data.memory import in_memory
from headstart.data.sheet import Choice
from headstart.data.source import open_source, open_sources
from headstart.data.split import assign
from headstart.data.table import Fact, Opened
from headstart.errors import ColumnError, SourceError, UserError
from headstart.modalities.text.words import Words
from headstart.settings import SourceSettings, SplitSettings
from tests.data.making import write

JOHN = ["John\tB-PER", "Smith\tI-PER", "lives\tO", "in\tO", "Paris\tB-LOC", ".\tO", ""]
RAIN = ["It\tO", "rains\tO", "in\tO", "Rome\tB-LOC", ""]


def rows(opened: Opened) -> list[list[str]]:
    """word/tag of each row."""
    table = opened.table
    assert (table.modality, table.task) == ("text", "tag")
    assert table.targets is not None
    found = []
    for text, tags in zip(table.inputs, table.targets, strict=True):
        assert isinstance(text, Words)
        found.append([f"{word}/{tag}" for word, tag in zip(text.tokens, tags, strict=True)])
    return found


def facts(opened: Opened, what: str) -> list[Fact]:
    return [fact for fact in opened.facts if fact.what == what]


def pairs(rows_of: list[str]) -> list[str]:
    return [line.replace("\t", "/") for line in rows_of if line]


# --- One word a line ---------------------------------------------------------------------------------


_ENDINGS = ("t.conll", "t.iob", "t.bio", "t.txt", "t.annotated", "noending")


@pytest.mark.parametrize(("name", "separator"), [*((name, one) for name in _ENDINGS for one in "\t "), ("t.tsv", "\t")])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_are_read_under_any_ending(tmp_path: Path, name: str, separator: str, end: str) -> None:
    lines = [line.replace("\t", separator) for line in (*JOHN, *RAIN)]
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + end.join(lines).encode())
    opened = open_source(tmp_path / name)
    assert rows(opened) == [pairs(JOHN), pairs(RAIN)]
    assert opened.table.ids.tolist() == [f"{name}:1", f"{name}:8"]
    assert opened.table.inputs[0] == "John Smith lives in Paris ."
    assert not opened.rejected


def test_the_last_column_holds_the_tag_and_any_other_can_be_asked_for(tmp_path: Path) -> None:
    lines = ["U.N. NNP B-NP B-ORG", "official NN I-NP O", "", "Peter NNP B-NP B-PER", "came VBD B-VP O", ""]
    path = write(tmp_path / "t.conll", *lines)
    assert rows(open_source(path)) == [["U.N./B-ORG", "official/O"], ["Peter/B-PER", "came/O"]]
    pos = open_source(path, SourceSettings(target=("2",)))
    assert rows(pos) == [["U.N./NNP", "official/NN"], ["Peter/NNP", "came/VBD"]]
    assert facts(pos, "tags")[0].value == "3 on 4 words"
    assert rows(open_source(path, SourceSettings(target=("4",)))) == rows(open_source(path))
    with pytest.raises(ColumnError, match="no column '7'"):
        open_source(path, SourceSettings(target=("7",)))


def test_columns_are_named_by_a_header_or_a_comment(tmp_path: Path) -> None:
    body = ["John\tNNP\tB-PER", "ran\tVBD\tO", "", "He\tPRP\tO", "sat\tVBD\tO", ""]
    for first in ("word\tpos\tner", "# columns = word pos ner"):
        path = write(tmp_path / "t.conll", first, *body)
        assert rows(open_source(path))[0] == ["John/B-PER", "ran/O"]
        assert rows(open_source(path, SourceSettings(target=("pos",))))[0] == ["John/NNP", "ran/VBD"]


def test_numbers_of_words_and_comments_are_no_words(tmp_path: Path) -> None:
    lines = ["#\thttp://example.org", "1\tRom\tB-LOC", "2\t#1\tO", "", "# id = 2", "1\tEs\tO", "2\tist\tO", ""]
    assert rows(open_source(write(tmp_path / "t.conll", *lines))) == [["Rom/B-LOC", "#1/O"], ["Es/O", "ist/O"]]


def test_a_word_may_be_a_hash_or_a_character_that_ends_lines_elsewhere(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "t.conll", "#\tO", "x\u2028y\tO", "John\tB-PER", "", *RAIN))
    assert [one.reason for one in opened.rejected] == [
        "line 2: the word 'x\\u2028y' holds white space; give each word a line"
    ]
    opened = open_source(write(tmp_path / "t.conll", "#\tO", "#paris\tB-LOC", "", *RAIN))
    assert rows(opened)[0] == ["#/O", "#paris/B-LOC"]


def test_documents_are_kept_in_one_split_where_there_are_enough(tmp_path: Path) -> None:
    text = []
    for number in range(12):
        text += ["-DOCSTART- -X- O", "", *[line.replace("\t", " X ") for line in JOHN]]
        text += [f"He{number} X O", "left X O", "", "Rome X B-LOC", "burns X O", ""]
    opened = open_source(write(tmp_path / "t.conll", *text))
    groups = opened.table.groups
    assert groups is not None
    assert Counter(groups.tolist()).most_common(1)[0][1] == 3
    assert len(set(groups.tolist())) == 12
    assert facts(opened, "groups")[0].value == "12 documents"
    table, _ = assign(opened.table, SplitSettings(valid=0.25, test=0.25), None)
    parts = {group: {*table.split[groups == group].tolist()} for group in set(groups.tolist())}
    assert all(len(found) == 1 for found in parts.values())
    assert {*table.split.tolist()} == {"train", "valid", "test"}
    few = open_source(write(tmp_path / "few.conll", *text[:40]))
    assert few.table.groups is None
    assert "too few" in facts(few, "groups")[0].reason


def test_lines_that_do_not_fit_set_their_sentence_aside(tmp_path: Path) -> None:
    lines = [*JOHN, *RAIN, "New York B-LOC", "is O", "", "It O", "is", "", *[one.replace("\t", " ") for one in RAIN]]
    opened = open_source(write(tmp_path / "t.conll", *[line.replace("\t", " ") for line in lines]))
    assert len(opened.table) == 3
    assert [(one.id, one.reason) for one in opened.rejected] == [
        ("t.conll:13", "line 13 has 3 columns where the file has 2 (does a word hold a blank?)"),
        ("t.conll:16", "line 17 has 1 column where the file has 2 (no tag)"),
    ]
    with_blank = open_source(write(tmp_path / "b.conll", *JOHN, "New York\tB-LOC", ""))
    assert "'New York' holds white space" in with_blank.rejected[0].reason


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"John\tB-PER\n\xff\tO\n", "not UTF-8"),
        (b"\n\n\n", "holds no sentence"),
        (b"John\nruns\n\n", "no labels"),
        (b"John\tO\nruns\tO\n\nIt\tO\nis\tO\n", "every word has the tag 'O'"),
        (b"John\tB-PER\nruns\tI-PER\n\nRome\tB-LOC\n", "no word is tagged 'O'"),
        (b"John\tB-PER\nSmith\tI-PER\nruns\t_\nfar\t_\n\nRome\tB-LOC\nis\t_\n", "tagged '_', beside"),
        (b"", "holds no sentence"),
    ],
)
def test_what_no_model_can_be_made_from_is_refused_in_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "t.conll").write_bytes(data)
    with pytest.raises(UserError, match=message) as caught:
        open_sources(tmp_path / "t.conll")
    assert "\n" not in str(caught.value)


# --- CoNLL-U -----------------------------------------------------------------------------------------

UNIVERSAL = """\
# sent_id = 1
# text = Vámonos al mar, dámelo.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tV\tMood=Imp\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\tE\t_\t5\tcase\t_\t_
4\tel\tel\tDET\tD\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\tN\t_\t1\tobl\t_\tNE=B-LOC|SpaceAfter=No
5.1\tnada\t_\tX\t_\t_\t_\t_\t_\t_
6\t,\t,\tPUNCT\tF\t_\t1\tpunct\t_\t_
7-8\tdámelo\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
7\tdáme\tdar\tVERB\tV\t_\t1\tconj\t_\t_
8\tlo\tlo\tPRON\tP\t_\t7\tobj\t_\t_
9\t.\t.\tPUNCT\tF\t_\t1\tpunct\t_\t_

# sent_id = 2
# text = Mar grande
1\tMar\tmar\tNOUN\tN\t_\t0\troot\t_\tNE=B-LOC
2\tgrande\tgrande\tADJ\tA\t_\t1\tamod\t_\t_

# sent_id = 3
"""


def test_conllu(tmp_path: Path) -> None:
    path = tmp_path / "t.conllu"
    path.write_text(UNIVERSAL + "\n", encoding="utf-8")
    opened = open_source(path)
    assert opened.table.inputs[0] == "Vámonos al mar, dámelo."
    assert rows(opened) == [
        ["Vámonos/VERB+PRON", "al/ADP+DET", "mar/NOUN", ",/PUNCT", "dáme/VERB", "lo/PRON", "./PUNCT"],
        ["Mar/NOUN", "grande/ADJ"],
    ]
    assert "ADP+DET 1" in facts(opened, "words")[0].reason
    assert facts(opened, "empty nodes")[0].value == "1 left out"
    assert [(one.id, one.reason) for one in opened.rejected] == [("t.conllu:22", "a sentence without words")]
    tags = open_source(path, SourceSettings(target=("xpos",))).table.targets
    assert tags is not None
    assert tags[1] == ("N", "A")
    named = open_source(path, SourceSettings(target=("NE",)))
    assert rows(named)[1] == ["Mar/B-LOC", "grande/O"]
    assert facts(named, "tag scheme")[0].value == "IOB2"


# --- Tables ------------------------------------------------------------------------------------------

TOKENS = [["John", "Smith", "runs"], ["He", "is", "in", "Rome"]]
TAGS = [["B-PER", "I-PER", "O"], ["O", "O", "O", "B-LOC"]]
READ = [["John/B-PER", "Smith/I-PER", "runs/O"], ["He/O", "is/O", "in/O", "Rome/B-LOC"]]


@pytest.mark.parametrize("column", ["tags", "ner_tags", "pos_tags", "labels"])
def test_lists_in_json(tmp_path: Path, column: str) -> None:
    objects = [{"id": str(i), "tokens": a, column: b} for i, (a, b) in enumerate(zip(TOKENS, TAGS, strict=True))]
    write(tmp_path / "t.jsonl", *map(json.dumps, objects))
    (tmp_path / "t.json").write_text(json.dumps(objects, indent=1))
    (tmp_path / "u.json").write_text(json.dumps({"data": objects}))
    for name in ("t.jsonl", "t.json", "u.json"):
        assert rows(open_source(tmp_path / name)) == READ


def test_lists_in_parquet_and_its_numbers_where_the_schema_names_them(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"tokens": TOKENS, "tags": TAGS}), tmp_path / "t.parquet")
    assert rows(open_source(tmp_path / "t.parquet")) == READ
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    table = pa.table({"tokens": TOKENS, "ner_tags": [[names.index(tag) for tag in row] for row in TAGS]})
    pq.write_table(table, tmp_path / "n.parquet")
    with pytest.raises(ColumnError, match="numbers for tags"):
        open_source(tmp_path / "n.parquet")
    for feature in ({"feature": {"names": names, "_type": "ClassLabel"}}, [{"names": names, "_type": "ClassLabel"}]):
        note = json.dumps({"info": {"features": {"tokens": {"_type": "Sequence"}, "ner_tags": feature}}})
        pq.write_table(table.replace_schema_metadata({"huggingface": note}), tmp_path / "h.parquet")
        assert rows(open_source(tmp_path / "h.parquet")) == READ


def test_a_saved_data_set(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    names = ["O", "B-PER", "I-PER", "B-LOC"]
    features = datasets.Features(
        {
            "tokens": datasets.Sequence(datasets.Value("string")),
            "ner_tags": datasets.Sequence(datasets.ClassLabel(names=names)),
        }
    )
    held = datasets.Dataset.from_dict(
        {"tokens": TOKENS, "ner_tags": [[names.index(t) for t in row] for row in TAGS]}, features=features
    )
    held.save_to_disk(str(tmp_path / "saved"))
    assert rows(open_source(tmp_path / "saved")) == READ
    assert rows(open_source(in_memory(held))) == READ


@pytest.mark.parametrize("write_list", [json.dumps, repr, " ".join])
def test_lists_as_text_in_csv(tmp_path: Path, write_list: Any) -> None:
    import csv

    with (tmp_path / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sentence", "tags"])
        writer.writerows([write_list(a), write_list(b)] for a, b in zip(TOKENS, TAGS, strict=True))
    assert rows(open_source(tmp_path / "t.csv")) == READ


def test_rows_that_do_not_fit_are_set_aside(tmp_path: Path) -> None:
    import pandas as pd

    tokens: list[Any] = [*TOKENS, ["a", "b"], [], ["New York", "is"], ["a", ""], ["x", "y"], ["p", "q"]]
    tags: list[Any] = [*TAGS, ["O"], [], ["B-LOC", "O"], ["O", "O"], None, ["O", None]]
    opened = open_source(in_memory(pd.DataFrame({"tokens": tokens, "tags": tags})))
    assert rows(opened) == READ
    assert [(one.id, one.reason) for one in opened.rejected] == [
        ("DataFrame[2]", "2 words and 1 tag"),
        ("DataFrame[3]", "empty sentence"),
        ("DataFrame[4]", "word 1, 'New York', holds white space: give each word an item of its own"),
        ("DataFrame[5]", "word 2, '', is empty"),
        ("DataFrame[6]", "no tags"),
        ("DataFrame[7]", "a word has no tag"),
    ]
    with pytest.raises(SourceError, match="none of its 1 rows is usable"):
        open_source(in_memory({"tokens": [["a", "b"]], "tags": [["B-PER"]]}))


def test_pairs_in_memory() -> None:
    opened = open_source(in_memory((TOKENS, TAGS)))
    assert rows(opened) == READ
    assert [fact.value for fact in facts(opened, "task")] == ["tag"]
    both = open_sources(in_memory((TOKENS, TAGS)), test=in_memory(([["Rome", "burns"]], [["B-LOC", "O"]])))
    assert both.table.split.tolist() == ["", "", "test"]
    assert rows(both)[2] == ["Rome/B-LOC", "burns/O"]


def test_another_task_on_tags_is_refused_and_tags_need_words() -> None:
    held = in_memory({"tokens": TOKENS, "tags": TAGS})
    for task in ("classification", "regression"):
        with pytest.raises(ColumnError, match="holds tags for the words of 'tokens'"):
            open_source(held, SourceSettings(task=task))
    assert open_source(held, SourceSettings(task="tag")).table.task == "tag"
    with pytest.raises(ColumnError, match="no column holds as many words"):
        open_source(in_memory({"tags": TAGS, "id": ["a", "b"]}))
    with pytest.raises(ColumnError, match="task 'tag' needs a column of words"):
        open_source(in_memory({"text": ["a b", "c d"], "label": ["x", "y"]}), SourceSettings(task="tag"))


def test_labels_of_texts_stay_labels_of_texts() -> None:
    texts = ["good and bad", "only good"]
    for labels in ([["a", "b", "c"], ["a", "b"]], ["a,b", "a,c"], ["pos", "neg"]):
        assert open_source(in_memory({"text": texts, "label": labels})).table.task in ("multilabel", "classification")


# --- Spans -------------------------------------------------------------------------------------------

TEXT = "Ann Lee went to New York."
MARKED = ["Ann/B-PER", "Lee/I-PER", "went/O", "to/O", "New/B-LOC", "York/I-LOC", "./O"]
SPANS: dict[str, Any] = {
    "spaCy pair": [TEXT, {"entities": [[0, 7, "PER"], [16, 24, "LOC"]]}],
    "spaCy": {"text": TEXT, "entities": [[0, 7, "PER"], [16, 24, "LOC"]]},
    "doccano": {"text": TEXT, "label": [[0, 7, "PER"], [16, 24, "LOC"]], "id": 1},
    "doccano labels": {"text": TEXT, "labels": [[0, 7, "PER"], [16, 24, "LOC"]]},
    "doccano relations": {
        "text": TEXT,
        "entities": [
            {"id": 1, "start_offset": 0, "end_offset": 7, "label": "PER"},
            {"id": 2, "start_offset": 16, "end_offset": 24, "label": "LOC"},
        ],
    },
    "Prodigy": {
        "text": TEXT,
        "tokens": [{"text": "Ann", "start": 0, "end": 3, "id": 0}],
        "spans": [{"start": 0, "end": 7, "label": "PER"}, {"start": 16, "end": 24, "label": "LOC"}],
        "answer": "accept",
    },
}


@pytest.mark.parametrize("form", SPANS)
def test_spans(tmp_path: Path, form: str) -> None:
    one = SPANS[form]
    write(tmp_path / "t.jsonl", json.dumps(one), json.dumps(one))
    (tmp_path / "t.json").write_text(json.dumps([one, one]))
    for name in ("t.jsonl", "t.json"):
        opened = open_source(tmp_path / name)
        assert rows(opened) == [MARKED, MARKED]
        assert opened.table.inputs[0] == TEXT
        assert not opened.rejected


def test_spans_that_miss_the_edges_of_words() -> None:
    texts = ["Anna went", " Ann , he", "pre-Ann's", "x"]
    spans = [[[0, 3, "PER"]], [[0, 5, "PER"]], [[4, 7, "PER"]], []]
    opened = open_source(in_memory({"text": texts, "entities": spans}))
    assert rows(opened) == [
        ["Ann/B-PER", "a/O", "went/O"],
        ["Ann/B-PER", ",/O", "he/O"],
        ["pre/O", "-/O", "Ann/B-PER", "'/O", "s/O"],
        ["x/O"],
    ]
    assert [(fact.value, fact.reason.rpartition(": ")[2]) for fact in facts(opened, "spans")] == [
        ("1 of 3 begin or end inside a word", "dict[0]")
    ]


def test_of_overlapping_spans_the_longest_is_kept_and_the_others_are_told() -> None:
    spans = [[[4, 7, "X"], [0, 7, "PER"], [0, 7, "PER"], [5, 12, "Y"]], [[0, 3, "PER"]]]
    opened = open_source(in_memory({"text": ["Ann Lee went", "Ann is"], "entities": spans}))
    assert rows(opened)[0] == ["Ann/B-PER", "Lee/I-PER", "went/O"]
    found = facts(opened, "spans")
    assert [fact.value for fact in found] == ["2 left out"]
    assert "dict[0] [5, 12] Y over [0, 7] PER, dict[0] [4, 7] X over [0, 7] PER" in found[0].reason


def test_spans_that_mark_nothing_set_their_row_aside() -> None:
    good: list[Any] = [[[0, 3, "PER"]], [[0, 3, "PER"], [4, 6, "X"]]]
    bad: list[Any] = [[[0, 99, "PER"]], [[2, 2, "PER"]], [[3, 4, "PER"]], [[-1, 3, "PER"]], None]
    texts = ["Ann is"] * 7
    opened = open_source(in_memory({"text": texts, "entities": good + bad}))
    assert len(opened.table) == 2
    assert [one.reason for one in opened.rejected] == [
        "span [0, 99, PER] is not within the text of 6 characters",
        "span [2, 2, PER] has no characters of 6 characters",
        "span [3, 4, PER] has no characters of 6 characters",
        "span [-1, 3, PER] is not within the text of 6 characters",
        "no spans; give [] for a text without any",
    ]


def test_what_an_annotator_did_not_accept_is_set_aside(tmp_path: Path) -> None:
    refused = {**SPANS["Prodigy"], "answer": "reject"}
    opened = open_source(write(tmp_path / "t.jsonl", json.dumps(SPANS["Prodigy"]), json.dumps(refused)))
    assert [one.reason for one in opened.rejected] == ["the annotator's answer is 'reject'"]


def test_spans_in_memory() -> None:
    opened = open_source(in_memory(([TEXT, TEXT], [[(0, 7, "PER"), (16, 24, "LOC")], []])))
    assert rows(opened) == [MARKED, [f"{word.partition('/')[0]}/O" for word in MARKED]]


def test_binary_spacy_is_refused_with_the_way(tmp_path: Path) -> None:
    (tmp_path / "t.spacy").write_bytes(b"\x00\x01")
    with pytest.raises(SourceError, match=r"binary file of spaCy's; write its texts as JSON lines"):
        open_source(tmp_path / "t.spacy")


# --- Folders, splits, predictions ----------------------------------------------------------------------


def test_files_of_a_folder_are_splits_by_a_word_of_their_names(tmp_path: Path) -> None:
    for name in ("x17train.conll", "emerging.dev.conll", "eng.testb", "old-test2.conll"):
        write(tmp_path / name, *JOHN, *RAIN)
    write(tmp_path / "README.md", "Tags of words.", "", "See elsewhere.")
    (tmp_path / "old-test2.conll").unlink()
    opened = open_source(tmp_path)
    assert facts(opened, "split")[0].value == "train 2, valid 2, test 2"
    assert "x17train.conll, emerging.dev.conll, eng.testb" in facts(opened, "split")[0].reason
    write(tmp_path / "more.conll", *JOHN)
    assert facts(open_source(tmp_path), "not read")[0].value == "more.conll"


def test_a_table_goes_before_files_of_words_and_these_are_told(tmp_path: Path) -> None:
    write(tmp_path / "t.conll", *JOHN)
    write(tmp_path / "t.jsonl", *(json.dumps({"tokens": a, "tags": b}) for a, b in zip(TOKENS, TAGS, strict=True)))
    opened = open_source(tmp_path)
    assert rows(opened) == READ
    assert facts(opened, "not read")[0].value == "t.conll"


def test_an_archive_of_files_of_words(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("train.conll", "\n".join([*JOHN, *RAIN]))
        archive.writestr("test.conll", "\n".join(RAIN))
    assert open_source(tmp_path / "t.zip").table.split.tolist() == ["train", "train", "test"]


def test_files_without_such_a_word_are_read_together(tmp_path: Path) -> None:
    write(tmp_path / "a.conll", *JOHN)
    write(tmp_path / "b.conll", *RAIN)
    opened = open_source(tmp_path)
    assert opened.table.split.tolist() == ["", ""]
    assert opened.table.ids.tolist() == ["a.conll:1", "b.conll:1"]
    assert facts(opened, "files")[0].value == "2"


def test_a_test_source_is_read_as_the_first_one(tmp_path: Path) -> None:
    write(tmp_path / "a.conll", *JOHN, *RAIN)
    write(tmp_path / "b.jsonl", json.dumps({"tokens": ["All", "quiet"], "tags": ["O", "O"]}))
    opened = open_sources(tmp_path / "a.conll", test=tmp_path / "b.jsonl")
    assert rows(opened)[2] == ["All/O", "quiet/O"]


def test_rows_are_balanced_by_their_rarest_tag(tmp_path: Path) -> None:
    lines = []
    for number in range(60):
        rare = number % 6 == 0
        lines += [f"word{number}\tO", "Rome\tB-LOC", *([f"Zeus{number}\tB-GOD"] if rare else []), ""]
    table, _ = assign(open_source(write(tmp_path / "t.conll", *lines)).table, SplitSettings(valid=0.3, test=0.3), None)
    assert table.targets is not None
    for part in ("train", "valid", "test"):
        assert any("B-GOD" in tags for tags in table.part(part).targets)  # type: ignore[union-attr]


def test_what_is_asked_about_comes_as_words(tmp_path: Path) -> None:
    like = Choice("tokens", ("tags",), "text", "tag", firm=False)
    write(tmp_path / "labelled.conll", *JOHN, *RAIN)
    write(tmp_path / "plain.conll", "It", "is", "", "So", "be", "it", "")
    write(tmp_path / "t.jsonl", json.dumps({"tokens": ["It", "is"]}))
    write(tmp_path / "t.csv", "id,tokens", "1,\"['It', 'is']\"", "2,It's here")
    found = {
        name: gather([str(tmp_path / name)], "text", like=like).inputs
        for name in ("labelled.conll", "plain.conll", "t.jsonl", "t.csv")
    }
    assert [one.tokens for one in found["labelled.conll"]] == [one.split() for one in found["labelled.conll"]]
    assert [one.tokens for one in found["plain.conll"]] == [["It", "is"], ["So", "be", "it"]]
    assert [one.tokens for one in found["t.jsonl"]] == [["It", "is"]]
    assert found["t.csv"][0].tokens == ["It", "is"]
    assert found["t.csv"][1] == "It's here"


def test_a_table_is_asked_about_by_its_text_where_the_model_was_made_from_spans(tmp_path: Path) -> None:
    like = Choice("text", ("entities",), "text", "tag", firm=False)
    path = write(tmp_path / "t.jsonl", json.dumps({"text": "[a] b", "tokens": ["a", "b"]}))
    assert gather([str(path)], "text", like=like).inputs == ["[a] b"]


def test_a_file_of_tags_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        gather([str(tmp_path / "t.conll")], "text", like=Choice("tokens", ("tags",), "text", "tag", firm=False))


def test_wnut17(real_data: Any) -> None:
    opened = open_source(real_data("wnut17"))
    assert Counter(opened.table.split.tolist()) == {"train": 3394, "valid": 1009, "test": 1287}
    assert facts(opened, "tag scheme")[0].value == "IOB2"
    assert facts(opened, "entities") == [
        Fact(
            "entities",
            "3,890 in 5,690 texts",
            "person 1,559, location 772, group 468, creative-work 387, product 383, corporation 321",
        )
    ]
    assert not opened.rejected
