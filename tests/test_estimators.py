"""The scikit-learn estimators behave as scikit-learn's own do."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import headstart.training.extraction as extraction
from headstart import TransferClassifier, TransferRegressor
from headstart.errors import LabelError, SettingError, SourceError
from tests.toys import PATTERNS, pictures, sentences

ESTIMATORS = (TransferClassifier, TransferRegressor)
#: scikit-learn's checks that need no numeric table.
CHECKS = (
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)


def grey_level(images):
    """A target that pictures hold: how bright they are."""
    return np.array([np.asarray(image, float).mean() / 255 for image in images])


@pytest.fixture
def texts(tiny_text_base):
    inputs, labels = sentences(20)
    return TransferClassifier(base=tiny_text_base), inputs, np.array(labels)


@pytest.fixture
def images(tiny_image_base):
    inputs, labels = pictures(10)
    return TransferClassifier(base=tiny_image_base), inputs, np.array(labels)


# --- scikit-learn's contract ------------------------------------------------------------------


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learns_own_checks(estimator, check):
    function = getattr(estimator_checks, check, None)
    if function is None:
        pytest.skip(f"this scikit-learn has no {check}")
    function(estimator.__name__, estimator())


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_parameters_survive_a_clone(estimator):
    given = {"base": "some/folder", "modality": "text", "seed": 7}
    copy = clone(estimator(**given))
    assert given.items() <= copy.get_params().items()
    assert copy.set_params(seed=3).seed == 3
    assert set(copy.get_params()) == set(inspect.signature(estimator).parameters)
    with pytest.raises(ValueError, match="Invalid parameter"):
        copy.set_params(sead=3)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "embed"])
def test_unfitted_classifiers_say_so(method):
    with pytest.raises(NotFittedError):
        getattr(TransferClassifier(), method)(["a text"])


@pytest.mark.parametrize("method", ["predict", "embed"])
def test_unfitted_regressors_say_so(method):
    with pytest.raises(NotFittedError):
        getattr(TransferRegressor(), method)(["a text"])


def test_fitting_returns_and_keeps_the_parameters(texts):
    model, inputs, labels = texts
    before = model.get_params()
    assert model.fit(inputs, labels) is model
    assert model.get_params() == before


def test_fitting_twice_is_fitting_once(texts):
    model, inputs, labels = texts
    first = model.fit(inputs, labels).predict_proba(inputs)
    model.fit(inputs[:10], np.arange(10) % 2)
    assert list(model.classes_) == [0, 1]
    np.testing.assert_array_equal(model.fit(inputs, labels).predict_proba(inputs), first)


def test_score_is_accuracy_or_r2(texts, images):
    model, inputs, labels = texts
    assert model.fit(inputs, labels).score(inputs, labels) == np.mean(model.predict(inputs) == labels) > 0.9
    classifier, photos, _ = images
    light = grey_level(photos)
    regressor = TransferRegressor(base=classifier.base).fit(photos, light)
    said = regressor.predict(photos)
    assert said.shape == light.shape
    assert said.dtype == np.float64
    r2 = 1 - ((light - said) ** 2).sum() / ((light - light.mean()) ** 2).sum()
    assert regressor.score(photos, light) == pytest.approx(r2)
    assert r2 > 0.5


# --- Within scikit-learn's tools ---------------------------------------------------------------


def test_cross_validation(texts, images):
    for model, inputs, labels in (texts, images):
        scores = cross_val_score(model, inputs, labels, cv=3)
        assert scores.shape == (3,)
        assert scores.mean() > 0.8


def test_cross_validated_probabilities(texts):
    model, inputs, labels = texts
    p = cross_val_predict(model, inputs, labels, cv=3, method="predict_proba")
    assert p.shape == (len(labels), 2)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)


def test_grid_search_over_metric_and_seed(texts):
    model, inputs, labels = texts
    grid = {"metric": ["accuracy", "balanced_accuracy", "log_loss", "f1_macro"], "seed": [0, 1]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(inputs, labels)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_score_ > 0.8
    assert list(search.predict(inputs[:2])) == list(labels[:2])


def test_regressors_cross_validate(images):
    classifier, photos, _ = images
    scores = cross_val_score(TransferRegressor(base=classifier.base), photos, grey_level(photos), cv=3)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(("by", "factor"), [(1.7e9, 40.0), (-10.0, 1e5), (0.0, 1e-40)])
def test_regressors_know_neither_unit_nor_zero(images, by, factor):
    classifier, photos, _ = images
    model, light = TransferRegressor(base=classifier.base), grey_level(photos)
    plain = cross_val_score(model, photos, light, cv=3)
    assert cross_val_score(model, photos, by + factor * light, cv=3) == pytest.approx(plain, abs=1e-3)
    said = clone(model).fit(photos, by + factor * light).predict(photos)
    assert (said - by) / factor == pytest.approx(clone(model).fit(photos, light).predict(photos), abs=1e-3)


def test_in_a_pipeline(texts):
    model, inputs, labels = texts
    lower = FunctionTransformer(lambda rows: [row.lower() for row in rows])
    pipeline = Pipeline([("lower", lower), ("transfer", model)])
    pipeline.fit([text.upper() for text in inputs], labels)
    plain = clone(model).fit([text.lower() for text in inputs], labels)
    np.testing.assert_array_equal(pipeline.predict_proba(inputs), plain.predict_proba([t.lower() for t in inputs]))
    assert cross_val_score(pipeline, np.array(inputs), labels, cv=2).mean() > 0.8
    assert list(pipeline.classes_) == ["pets", "post"]


def test_cross_validation_costs_each_input_one_pass(tiny_text_base, monkeypatch):
    inputs = [f"{text} again" for text in sentences(20)[0]]  # texts that no other test has had cached
    labels = np.tile([0, 1], 20)
    passed = []
    real = extraction.build

    def counting(name, base, network):
        run = real(name, base, network)
        return lambda batch: passed.append(len(batch[0])) or run(batch)

    monkeypatch.setattr(extraction, "build", counting)
    model = TransferClassifier(base=tiny_text_base)
    cross_val_score(model, inputs, labels, cv=5)
    GridSearchCV(model, {"seed": [0, 1]}, cv=4).fit(inputs, labels)
    assert sum(passed) == len(inputs)


# --- Inputs in every form ----------------------------------------------------------------------


def text_forms():
    import pandas as pd

    texts = sentences(20)[0]
    column = np.array(texts, dtype=object)[:, None]
    return {
        "list": texts,
        "tuple": tuple(texts),
        "string array": np.array(texts),
        "object array": np.array(texts, dtype=object),
        "column": column,
        "string column": np.array(texts)[:, None],
        "series": pd.Series(texts, index=range(40, 0, -1)),
        "frame": pd.DataFrame({"text": texts}, index=range(40, 0, -1)),
    }


@pytest.mark.parametrize("form", text_forms())
def test_texts_in_every_form(texts, form):
    model, inputs, labels = texts
    expected = clone(model).fit(inputs, labels).predict_proba(inputs)
    given = text_forms()[form]
    np.testing.assert_array_equal(model.fit(given, labels).predict_proba(given), expected)
    assert model.modality_ == "text"


def test_pictures_in_every_form(images, tmp_path):
    model, photos, labels = images
    photos = [photo.resize((40, 48)) for photo in photos]
    paths = [tmp_path / f"{i}.png" for i in range(len(photos))]
    for path, photo in zip(paths, photos, strict=True):
        photo.save(path)
    expected = clone(model).fit(photos, labels).predict_proba(photos)
    forms = {
        "paths": paths,
        "strings": [str(path) for path in paths],
        "string array": np.array([str(path) for path in paths]),
        "column": np.array([str(path) for path in paths], dtype=object)[:, None],
        "bytes": [path.read_bytes() for path in paths],
        "arrays": [np.asarray(photo) for photo in photos],
        "stack": np.stack([np.asarray(photo) for photo in photos]),  # [n, h, w, 3]
    }
    for name, given in forms.items():
        got = clone(model).fit(given, labels)
        np.testing.assert_allclose(got.predict_proba(given), expected, atol=1e-4, err_msg=name)
        assert got.modality_ == "image", name


def test_a_stack_cross_validates(tiny_image_base):
    photos, labels = pictures(8)
    stack = np.stack([np.asarray(photo.resize((32, 32))) for photo in photos])
    assert cross_val_score(TransferClassifier(base=tiny_image_base), stack, labels, cv=2).mean() > 0.6


def test_grey_stacks_are_pictures(tiny_image_base):
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 256, (12, 20, 20), dtype=np.uint8)
    assert TransferClassifier(base=tiny_image_base).fit(stack, [0, 1] * 6).predict(stack).shape == (12,)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (np.tile([7, 3], 20), "i"),
        (np.tile([True, False], 20), "b"),
        (np.tile(["yes", "no"], 20), "U"),
        (np.tile(np.array(["yes", "no"], dtype=object), 20), "O"),
        (np.tile([0.5, -1.5], 20), "f"),
    ],
)
def test_classes_keep_their_type(texts, labels, kind):
    model, inputs, _ = texts
    model.fit(inputs, labels)
    assert model.classes_.dtype.kind == kind
    assert list(model.classes_) == sorted(set(labels.tolist()))
    said = model.predict(inputs)
    assert said.dtype.kind == kind
    assert np.mean(said == labels) > 0.9


def test_columns_are_in_the_order_of_classes(images):
    model, photos, labels = images
    p = model.fit(photos, labels).predict_proba(photos)
    assert list(model.classes_) == sorted(PATTERNS)
    assert p.shape == (30, 3)
    np.testing.assert_array_equal(model.classes_[p.argmax(1)], model.predict(photos))
    assert (p[np.arange(30), np.searchsorted(model.classes_, labels)] > 1 / 3).mean() > 0.9


def test_decisions_are_scores(texts, images):
    model, inputs, labels = texts
    binary = model.fit(inputs, labels).decision_function(inputs)
    assert binary.shape == (40,)
    np.testing.assert_array_equal(model.classes_[(binary > 0).astype(int)], model.predict(inputs))
    np.testing.assert_allclose(expit(binary), model.predict_proba(inputs)[:, 1], atol=1e-4)
    model, photos, labels = images
    scores = model.fit(photos, labels).decision_function(photos)
    assert scores.shape == (30, 3)
    np.testing.assert_array_equal(scores.argmax(1), model.predict_proba(photos).argmax(1))


# --- What cannot be learnt from -----------------------------------------------------------------


def test_targets_that_do_not_fit_are_refused(texts):
    model, inputs, labels = texts
    with pytest.raises(LabelError, match="40 inputs and y 39"):
        model.fit(inputs, labels[:-1])
    with pytest.raises(LabelError, match="one class"):
        model.fit(inputs, ["same"] * 40)
    with pytest.raises(LabelError, match=r"shape \(40, 2\)"):
        model.fit(inputs, np.zeros((40, 2)))
    assert list(model.fit(inputs, labels[:, None]).predict(inputs[:2])) == list(labels[:2])


class Missing:
    """As pandas.NA is: neither equal to itself nor different."""

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize(
    "missing",
    [None, float("nan"), np.float32("nan"), np.datetime64("NaT"), Missing(), "", "  ", "nan", "null"],
    ids=["None", "nan", "float32 nan", "NaT", "NA", "empty", "blank", "text nan", "text null"],
)
def test_missing_labels_are_no_class(texts, missing, as_array):
    model, inputs, labels = texts
    given = [missing, *labels.tolist()[1:-1], missing]
    if as_array:
        given, values = np.empty(40, dtype=object), given
        given[:] = values
    with pytest.raises(LabelError, match=r"2 of 40 labels in y are missing .*, the first in row 0"):
        model.fit(inputs, given)


def test_missing_codes_are_no_class(texts):
    model, inputs, _ = texts
    with pytest.raises(LabelError, match="1 of 40 labels in y are missing"):
        model.fit(inputs, np.array([np.nan, *([0.0, 1.0, 1.0] * 13)]))


def test_labels_of_two_kinds_are_refused(texts):
    model, inputs, _ = texts
    with pytest.raises(LabelError, match="y mixes 20 texts with 20 other values"):
        model.fit(inputs, [1, "1"] * 20)
    with pytest.raises(LabelError, match="one label an input"):
        model.fit(inputs, [["a"], ["a", "b"]] * 20)


@pytest.mark.parametrize(
    ("values", "said"),
    [(["1", "many"], "must be numbers"), ([1.0, np.nan], "not finite"), ([[1, 2], [3, 4]], r"shape \(2, 2\)")],
)
def test_values_that_are_no_numbers_are_refused(tiny_text_base, values, said):
    with pytest.raises(LabelError, match=said):
        TransferRegressor(base=tiny_text_base).fit(["cat", "dog"], values)


def test_a_metric_for_other_tasks_is_refused(texts):
    model, inputs, labels = texts
    for metric in ("r2", "acuracy"):
        with pytest.raises(SettingError, match=f"{metric!r}.*accuracy"):
            model.set_params(metric=metric).fit(inputs, labels)


def test_inputs_that_are_no_list_are_refused(texts):
    model, inputs, labels = texts
    with pytest.raises(SourceError, match="put it into a list"):
        model.fit("the cat", ["pets"])
    with pytest.raises(SourceError, match="2 columns"):
        model.fit(np.array([inputs, inputs]).T, labels)
    with pytest.raises(LabelError, match="no labels"):
        model.fit([], [])
    with pytest.raises(SettingError, match="mixes"):
        TransferClassifier(base=model.base).fit([pictures(1)[0][0], "a text"], [0, 1])


def test_unreadable_inputs_are_named(texts, images, tmp_path):
    model, inputs, labels = texts
    with pytest.raises(SourceError, match=r"1 of 40 inputs cannot be read, the first is input 3: empty text"):
        model.fit([*inputs[:3], " ", *inputs[4:]], labels)
    model, photos, labels = images
    with pytest.raises(SourceError, match="the first is input 0"):
        model.fit(photos, labels).predict([tmp_path / "absent.png"])


# --- Fine-tuning and weights ------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["partial", "full", "lora", "head2toe", "auto"])
def test_estimators_fine_tune(texts, strategy):
    _, inputs, labels = texts
    model = clone(texts[0]).set_params(strategy=strategy, device="cpu").fit(inputs, labels)
    assert (model.changes_ is not None) == (strategy in ("partial", "full", "lora"))
    assert model.score(inputs, labels) > 0.8
    frozen = texts[0].fit(inputs, labels)
    same = model.embed(inputs).shape == frozen.embed(inputs).shape and np.allclose(
        model.embed(inputs), frozen.embed(inputs), atol=1e-4
    )
    assert same == (strategy == "auto")  # what is solved at 1.0 by frozen features leaves nothing to train for


def test_a_fine_tuned_regressor_and_a_strategy_that_is_none(texts):
    inputs = texts[1]
    values = np.array([len(text) for text in inputs], float)
    model = TransferRegressor(base=texts[0].base, strategy="partial").fit(inputs, values)
    assert model.predict(inputs).shape == (len(inputs),)
    with pytest.raises(SettingError, match=r"strategy 'ful' is unknown.*Did you mean 'full'"):
        TransferRegressor(base=texts[0].base, strategy="ful").fit(inputs, values)
    with pytest.raises(SettingError, match="device is 'gpu'"):
        TransferRegressor(base=texts[0].base, device="gpu").fit(inputs, values)


def test_weights_of_classes_and_rows(texts):
    plain, inputs, labels = texts
    p = clone(plain).fit(inputs, labels).predict_proba(inputs)[:, 1].mean()
    heavy = clone(plain).set_params(class_weight={sorted(labels)[-1]: 20}).fit(inputs, labels)
    rows = clone(plain).fit(inputs, labels, sample_weight=np.where(labels == sorted(labels)[-1], 20.0, 1.0))
    assert heavy.predict_proba(inputs)[:, 1].mean() > p
    np.testing.assert_allclose(heavy.predict_proba(inputs), rows.predict_proba(inputs), atol=1e-6)
    for wrong in ([1.0], np.full(len(labels), -1.0), np.zeros(len(labels)), ["a"] * len(labels)):
        with pytest.raises(SettingError, match="sample_weight"):
            clone(plain).fit(inputs, labels, sample_weight=wrong)
    with pytest.raises(SettingError, match="names the class 'nobody'"):
        clone(plain).set_params(class_weight={"nobody": 2}).fit(inputs, labels)
