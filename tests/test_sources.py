"""Whole runs from every kind of source: what each leaves behind is complete, consistent and usable."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import headstart as hs
from headstart.errors import SettingError, SplitError
from headstart.evaluation.metrics import METRICS, for_task
from tests.toys import WORDS, image_folder, picture, pictures, sentence, sentences, table, text_table

OUTCOMES = {"improved", "no improvement", "reduced", "inconclusive"}
CONTROLS = {"image": "pixels + linear", "text": "TF-IDF + linear"}
#: Schemes that would fetch something; data: is the page's own.
FETCHES = re.compile(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//|@import|url\(\s*["']?(?!data:|\#)""", re.IGNORECASE)


@pytest.fixture
def fitted(tiny_image_base, tiny_text_base, tmp_path):
    """``fitted(source, modality, ...)``: the run, its result.json, all of it checked."""

    def fit(source, modality, strategy="probe", **options):
        base = {"image": tiny_image_base, "text": tiny_text_base}[modality]
        run = hs.fit(source, base=base, strategy=strategy, out=tmp_path / "run", overwrite=True, **options)
        record = json.loads((run.path / "result.json").read_text())
        assert record["data"]["modality"] == modality
        check_record(record)
        check_files(run, record)
        return SimpleNamespace(run=run, record=record, facts={f["what"]: f for f in record["data"]["facts"]})

    return fit


FIRST_WORDS = {
    "improved": "Transfer learning improved ",
    "no improvement": "Transfer learning did not improve ",
    "reduced": "Transfer learning reduced ",
    "inconclusive": "Cannot tell",
}


def check_record(record):
    test, gain, data = record["test"], record["transfer_gain"], record["data"]
    metric = METRICS[record["metric"]]
    within(test)
    within(gain, "value")
    assert test["evaluated"] == 1
    assert set(data["splits"]) == {"train", "valid", "test"}
    assert sum(data["splits"].values()) == data["rows"]
    assert test["n"] == data["splits"]["test"] > 0
    assert test["metrics"][record["metric"]]["value"] == test["score"]
    names = [control["name"] for control in record["baselines"]]
    assert names[:2] == ["majority", CONTROLS[data["modality"]]]
    assert names[2:] in ([], ["scratch"])
    for control in record["baselines"]:
        within(control)
    check_gain(record, metric.higher_is_better)
    assert record["verdict"]["outcome"] in OUTCOMES
    assert record["verdict"]["sentence"].startswith(FIRST_WORDS[record["verdict"]["outcome"]])
    assert record["verdict"]["next_step"]
    check_chosen(record)
    assert record["features"]["computed"] + record["features"]["cached"] == data["rows"]
    assert gain["against"] in names


def check_chosen(record):
    """What is handed over is one of the candidates, or one of the controls."""
    chosen = record["selected"]
    if not chosen["base"]:
        assert chosen["strategy"] in {control["name"] for control in record["baselines"]}
        return
    (candidate,) = (one for one in record["candidates"] if one["strategy"] == chosen["strategy"])
    assert candidate["base"] == chosen["base"] == record["base"]["name"]
    assert chosen["head"] in {tried["head"] for tried in candidate["tried"]} | {"trained"}


def check_gain(record, higher):
    """The gain is the paired difference to the better control, positive where borrowing is better."""
    scores = {c["name"]: c["score"] for c in record["baselines"] if c["score"] is not None}
    gain, score = record["transfer_gain"], record["test"]["score"]
    if score is None or not scores:
        assert gain["value"] is None
        return
    assert scores[gain["against"]] == (max if higher else min)(scores.values())
    against = scores[gain["against"]]
    if "Left out: " in record["verdict"]["sentence"]:
        return  # the gain is of fewer rows than the scores
    assert gain["value"] == pytest.approx(score - against if higher else against - score, abs=1e-9)


def within(interval, value="score"):
    if interval["low"] is None or interval["high"] is None:
        return
    assert interval["low"] - 1e-9 <= interval[value] <= interval["high"] + 1e-9


def check_files(run, record):
    report = (run.path / "report.html").read_text(encoding="utf-8")
    assert not FETCHES.findall(report)
    assert "<script src" not in report
    assert record["verdict"]["sentence"].split(":")[0] in report
    assert (run.path / "rejected.csv").exists() == (record["data"]["rejected"] > 0)
    model = hs.load(run.path)
    inputs = pictures(2)[0] if record["data"]["modality"] == "image" else sentences(3)[0]
    said, p = model.predict(inputs), model.predict_proba(inputs)
    assert p.shape == (6, max(1, len(record["data"]["labels"])))
    assert np.isfinite(p).all()
    assert list(model.labels) == record["data"]["labels"]
    kinds = {"classification": str, "multilabel": tuple, "regression": float}
    assert {type(answer) for answer in said} == {kinds[record["task"]]}
    np.testing.assert_array_equal(p, run.model.predict_proba(inputs))


# --- Image folders, tables of images ------------------------------------------------------------


def test_image_folder(fitted, tmp_path):
    done = fitted(image_folder(tmp_path / "photos", 15), "image", "auto")
    parts = done.record["data"]["splits"]
    assert sum(parts.values()) == 45
    assert 7 <= parts["test"] <= 11  # a fifth, by content
    assert done.record["test"]["score"] > 0.6
    assert done.record["metric"] == "accuracy"


def test_image_folder_with_parts(fitted, tmp_path):
    for part, count, first in (("train", 8, 0), ("valid", 3, 100), ("test", 5, 200)):
        image_folder(tmp_path / "photos" / part, count, first)
    done = fitted(tmp_path / "photos", "image")
    assert done.record["data"]["splits"] == {"train": 24, "valid": 9, "test": 15}


def test_further_sources_are_the_parts(fitted, tmp_path):
    train, test = image_folder(tmp_path / "a", 10), image_folder(tmp_path / "b", 4, 500)
    done = fitted(train, "image", test=test)
    assert done.record["data"]["splits"]["test"] == 12
    assert done.record["data"]["rows"] == 42


def test_table_of_image_paths(fitted, tmp_path):
    image_folder(tmp_path / "photos", 12)
    rows = [(p.relative_to(tmp_path), p.parent.name) for p in sorted(tmp_path.glob("photos/*/*.png"))]
    done = fitted(table(tmp_path / "list.csv", ["file", "class"], rows), "image")
    assert done.record["data"]["rows"] == 36
    assert done.record["test"]["score"] > 0.6


def test_unreadable_pictures_are_listed(fitted, tmp_path):
    folder = image_folder(tmp_path / "photos", 15)
    (folder / "rings" / "broken.png").write_bytes(b"no picture")
    done = fitted(folder, "image")
    assert (done.record["data"]["rows"], done.record["data"]["rejected"]) == (45, 1)
    assert "broken.png" in (done.run.path / "rejected.csv").read_text()


@pytest.mark.parametrize("kind", ["zip", "gztar"])
@pytest.mark.parametrize("inside", ["images", "table"])
def test_archives(fitted, tmp_path, kind, inside):
    folder = tmp_path / "packed"
    folder.mkdir()
    modality = "image" if inside == "images" else "text"
    if modality == "image":
        image_folder(folder / "photos", 10)
    else:
        text_table(folder / "mail.csv", 20)
    archive = shutil.make_archive(str(tmp_path / "archive"), kind, folder)
    done = fitted(Path(archive), modality)
    assert done.record["data"]["rows"] == (30 if modality == "image" else 40)
    assert done.record["data"]["source"] == archive


# --- Tables of texts --------------------------------------------------------------------------


def text_file(folder, kind):
    rows = list(zip(*sentences(25), strict=True))
    path = folder / f"mail.{kind}"
    if kind in ("csv", "tsv"):
        return table(path, ["text", "label"], rows, delimiter="\t" if kind == "tsv" else ",")
    records = [{"text": text, "label": label} for text, label in rows]
    if kind == "jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return path
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(records), path)
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_tables_of_texts(fitted, tmp_path, kind):
    done = fitted(text_file(tmp_path, kind), "text")
    assert done.record["data"]["labels"] == ["pets", "post"]
    assert done.record["data"]["rows"] == 50
    assert done.record["test"]["score"] > 0.7


def test_every_kind_of_table_gives_the_same_run(fitted, tmp_path):
    tests = [fitted(text_file(tmp_path, kind), "text").record["test"] for kind in ("csv", "tsv", "jsonl", "parquet")]
    first = tests[0]["evaluated_before"]  # by other tests
    assert [test["evaluated_before"] - first for test in tests] == [0] * 4  # the same trial each time
    assert all(test | {"evaluated_before": first} == tests[0] for test in tests)


def test_saved_datasets(fitted, tmp_path):
    datasets = pytest.importorskip("datasets")
    texts, labels = sentences(25)
    names = datasets.ClassLabel(names=["pets", "post"])
    whole = datasets.Dataset.from_dict({"text": texts, "label": labels}).cast_column("label", names)
    whole.save_to_disk(tmp_path / "whole")
    assert fitted(tmp_path / "whole", "text").record["data"]["labels"] == ["pets", "post"]
    parts = datasets.DatasetDict({"train": whole.select(range(30)), "test": whole.select(range(30, 50))})
    parts.save_to_disk(tmp_path / "parts")
    assert fitted(tmp_path / "parts", "text").record["data"]["splits"]["test"] == 20


def test_saved_datasets_of_images(fitted, tmp_path):
    datasets = pytest.importorskip("datasets")
    photos, labels = pictures(10)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")})
    datasets.Dataset.from_dict({"image": photos, "label": labels}, features=features).save_to_disk(tmp_path / "saved")
    assert fitted(tmp_path / "saved", "image").record["data"]["rows"] == 30


# --- Several labels, values -------------------------------------------------------------------


def tagged(seed):
    """A text and its labels: both topics, one or the other."""
    topics = (("pets",), ("post",), ("pets", "post"))[seed % 3]
    return " ".join(sentence(topic, seed) for topic in topics), topics


def test_labels_in_one_cell(fitted, tmp_path):
    rows = [(text, ";".join(topics)) for text, topics in map(tagged, range(60))]
    done = fitted(table(tmp_path / "tags.csv", ["text", "tags"], rows), "text", "auto", target="tags")
    assert (done.record["task"], done.record["metric"]) == ("multilabel", "f1_micro")
    assert done.record["data"]["labels"] == ["pets", "post"]
    assert done.record["test"]["score"] > 0.7


def test_labels_in_columns(fitted, tmp_path):
    rows = [(text, *(int(t in topics) for t in WORDS)) for text, topics in map(tagged, range(60))]
    done = fitted(table(tmp_path / "tags.csv", ["text", *WORDS], rows), "text")
    assert done.record["task"] == "multilabel"
    assert done.record["data"]["labels"] == ["pets", "post"]


def test_labels_of_images(fitted, tmp_path):
    rows = []
    for seed in range(45):
        label = ("rings", "checks", "stripes")[seed % 3]
        picture(label, seed).save(tmp_path / f"{seed}.png")
        rows.append((f"{seed}.png", {"rings": "round", "checks": "square;bold", "stripes": "bold"}[label]))
    done = fitted(table(tmp_path / "tags.csv", ["file", "tags"], rows), "image", target="tags", task="multilabel")
    assert done.record["data"]["labels"] == ["bold", "round", "square"]


def test_values_of_texts(fitted, tmp_path):
    rows = []
    for seed in range(60):
        pets = seed % 7
        words = [*np.random.default_rng(seed).choice(WORDS["pets"], pets), *["parcel"] * (6 - pets), f"no{seed}"]
        rows.append((" ".join(words), pets + 0.5))
    done = fitted(table(tmp_path / "values.csv", ["text", "share"], rows), "text", "auto", target="share")
    assert (done.record["task"], done.record["metric"], done.record["data"]["labels"]) == ("regression", "r2", [])
    assert done.record["test"]["score"] > 0.3


def test_values_of_images(fitted, tmp_path):
    rows = []
    for seed in range(45):
        shown = picture("rings", seed)
        shown.save(tmp_path / f"{seed}.png")
        rows.append((f"{seed}.png", np.asarray(shown, float).mean() / 255))
    done = fitted(table(tmp_path / "light.csv", ["file", "light"], rows), "image", target="light")
    assert done.record["task"] == "regression"


# --- Groups, slices, splits -------------------------------------------------------------------


def grouped_table(folder):
    """Ten people with five texts each; the group cannot be told from the text."""
    texts, labels = sentences(25)
    rows = [
        (text, label, f"person{i // 5}", "long" if i % 3 else "short")
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    return table(folder / "mail.csv", ["text", "label", "person", "size"], rows)


def test_groups_stay_together(fitted, tmp_path, monkeypatch):
    import headstart.flow.preparation as preparing

    assigned = []
    real = preparing.assign
    monkeypatch.setattr(preparing, "assign", lambda *a, **kw: assigned.append(real(*a, **kw)) or assigned[-1])
    done = fitted(grouped_table(tmp_path), "text", group="person", slices=["size"])
    ((split_table, _),) = assigned
    for person in np.unique(split_table.groups):
        assert len(set(split_table.split[split_table.groups == person])) == 1
    assert done.record["test"]["n"] % 5 == 0


def test_slices_are_reported(fitted, tmp_path):
    done = fitted(grouped_table(tmp_path), "text", slices=["size"], group="person")
    slices = [one for one in done.record["slices"] if not one["found"]]
    assert {(s["column"], s["value"]) for s in slices} == {("size", "long"), ("size", "short")}
    assert sum(s["n"] for s in slices) == done.record["test"]["n"]
    scores = [s["score"] for s in slices]
    assert scores == sorted(scores)
    for piece in slices:
        within(piece)


def test_a_given_split_is_kept(fitted, tmp_path):
    texts, labels = sentences(20)
    parts = ["test" if i < 10 else "valid" if i < 18 else "train" for i in range(40)]
    rows = zip(texts, labels, parts, strict=True)
    done = fitted(table(tmp_path / "mail.csv", ["text", "label", "split"], rows), "text")
    assert done.record["data"]["splits"] == {"train": 22, "valid": 8, "test": 10}
    assert "given with the data" in done.facts["split"]["reason"]


def test_sizes_and_seed_are_kept(fitted, tmp_path):
    source = text_table(tmp_path / "mail.csv", 25)
    done = fitted(source, "text", test_size=0.4, valid_size=0.1, seed=3)
    assert 17 <= done.record["test"]["n"] <= 23  # two fifths, by content
    assert done.record["seed"] == 3
    assert "seed 3" in done.facts["split"]["reason"]


# --- Metrics ----------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [metric.name for metric in for_task("classification", 2)])
def test_metrics_of_classes(fitted, tmp_path, metric):
    done = fitted(text_table(tmp_path / "mail.csv", 25), "text", metric=metric)
    assert (done.record["metric"], done.record["metric_reason"]) == (metric, "asked for")


@pytest.mark.parametrize("metric", [name for name, m in METRICS.items() if "multilabel" in m.tasks])
def test_metrics_of_labels(fitted, tmp_path, metric):
    rows = [(text, ";".join(topics)) for text, topics in map(tagged, range(45))]
    done = fitted(table(tmp_path / "tags.csv", ["text", "tags"], rows), "text", target="tags", metric=metric)
    assert done.record["metric"] == metric


@pytest.mark.parametrize("metric", [name for name, m in METRICS.items() if "regression" in m.tasks])
def test_metrics_of_values(fitted, tmp_path, metric):
    rows = [(sentence("pets" if seed % 2 else "post", seed), seed % 2 + seed / 100) for seed in range(45)]
    done = fitted(table(tmp_path / "values.csv", ["text", "value"], rows), "text", metric=metric)
    assert done.record["metric"] == metric


def test_a_metric_of_another_task_is_refused(tiny_text_base, tmp_path):
    with pytest.raises(SettingError, match=r"'r2' is not for classification of 2 classes; .* accuracy"):
        hs.fit(text_table(tmp_path / "mail.csv", 10), base=tiny_text_base, out=tmp_path / "run", metric="r2")


def test_the_first_five_of_two_classes_are_no_metric(tiny_text_base, tmp_path):
    with pytest.raises(SettingError, match=r"'top5' is not for classification of 2 classes"):
        hs.fit(text_table(tmp_path / "mail.csv", 10), base=tiny_text_base, out=tmp_path / "run", metric="top5")


def test_imbalance_is_met_by_balanced_accuracy(fitted, tmp_path):
    rows = [(sentence("pets", i), "pets") for i in range(60)] + [(sentence("post", i), "post") for i in range(60, 72)]
    done = fitted(table(tmp_path / "mail.csv", ["text", "label"], rows), "text")
    assert done.record["metric"] == "balanced_accuracy"
    assert "every class counts the same" in done.record["metric_reason"]
    majority = done.record["baselines"][0]
    assert majority["score"] == pytest.approx(0.5)
    assert done.record["selected"]["settings"]["balanced"] is True


# --- Few rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "auroc", "mcc", "log_loss"])
@pytest.mark.parametrize("per_class", [3, 4])
def test_tiny_test_parts_tell_nothing(fitted, tmp_path, per_class, metric):
    done = fitted(text_table(tmp_path / "mail.csv", per_class), "text", "auto", metric=metric)
    assert [rung["decision"] for rung in done.record["search"]["steps"]] == ["start", *["not tried"] * 3]
    assert done.record["test"]["n"] <= 2
    assert done.record["verdict"]["outcome"] == "inconclusive"
    assert "NaN" not in (done.run.path / "result.json").read_text()


def test_tiny_test_parts_of_values(fitted, tmp_path):
    rows = [(sentence("pets", seed), seed + 0.5) for seed in range(6)]
    done = fitted(table(tmp_path / "values.csv", ["text", "value"], rows), "text", "auto")
    assert [rung["decision"] for rung in done.record["search"]["steps"]] == ["start", *["not tried"] * 3]
    assert done.record["test"]["n"] <= 2
    assert done.record["verdict"]["outcome"] == "inconclusive"


def test_too_few_rows_are_refused(tiny_text_base, tmp_path):
    rows = [("the cat", "pets"), ("a dog", "pets"), ("my parcel", "post"), ("my card", "post")]
    with pytest.raises(SplitError, match="too few rows"):
        hs.fit(
            table(tmp_path / "mail.csv", ["text", "label"], rows),
            base=tiny_text_base,
            out=tmp_path / "run",
            test_size=0.01,
        )
    assert not (tmp_path / "run").exists()
