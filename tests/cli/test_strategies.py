"""Strategies on the command line: wrong values are refused in one line, before or after the data are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import call, fitted, noise_images, refused

Capsys = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--strategy", "partail"], "strategy 'partail' is unknown; it is one of auto, probe, head2toe, partial"),
        (["--strategy", "partail"], "'partial'"),
        (["--strategy", ""], "strategy is empty; give it a value or leave it out"),
        (["--epochs", "0"], "epochs is 0; it is a number above 0."),
        (["--epochs", "-1"], "epochs is -1; it is a number above 0."),
        (["--epochs", "nan"], "epochs is nan"),
        (["--lr", "0"], "lr is 0; it is a number above 0."),
        (["--lr", "inf"], "lr is inf"),
        (["--backbone-lr-multiplier", "-0.1"], "backbone-lr-multiplier is -0.1"),
        (["--adapter", "lroa"], "adapter kind 'lroa' is unknown; it is one of lora, dora, rslora"),
        (["--lora-rank", "0"], "rank 0"),
        (["--batch-size", "1"], "batch-size is 1; it is at least 2 rows a step."),
        (["--batch", "0"], "batch-size is 0"),
        (["--max-forgetting", "1.1"], "max-forgetting is 1.1; it is a share from 0 (keep all) to 1."),
        (["--max-forgetting", "-0.1"], "max-forgetting is -0.1"),
        (["--max-forgetting", "nan"], "max-forgetting is nan"),
        (["--mixup", "-1"], "mixup is -1; it is 0 or more."),
        (["--mixup", "nan"], "mixup is nan"),
        (["--l2sp", "-1"], "l2sp is -1; it is 0 or more."),
        (["--replay", "-1"], "replay is -1; it is 0 or more."),
        (["--unfreeze", "-1"], "unfreeze is -1; it is a number of stages, 0 or more."),
        (["--augment", "corruptoin"], "augment is 'corruptoin'; it is one of auto, none, corruption."),
        (["--budget", "soon"], "budget 'soon' is not a time; write it like 90s, 10m or 1.5h."),
        (["--budget", "0"], "budget '0' is not a time"),
        (["--budget", "-5m"], "budget '-5m' is not a time"),
        (["--budget", ""], "budget is empty; give it a value or leave it out"),
        (["--epochs", "many"], "--epochs"),
        (["--learning-rate", "0"], "lr is 0; it is a number above 0."),
        (["--lr", "x"], "Invalid value for '--lr': "),
        (["--rate", "1", "--lr", "2"], "--lr and --rate are names of one option; give --lr alone."),
        (["--lr=1", "--learning-rate=1"], "--lr and --learning-rate are names of one option; give --lr alone."),
        (["--model", "x"], "--base and --model are names of one option; give --base alone."),
        (["-o", "a", "--out", "b"], "--out and -o are names of one option; give --out alone."),
        (["-qob", "--output=a"], "--output and -o are names of one option; give --out alone."),
        (["--learning-rat", "1"], "--learning-rat. Did you mean '--lr', also called '--learning-rate'? See"),
        (["--bacth", "8"], "No such option: --bacth. Did you mean '--batch-size', also called '--batch'? See"),
        (
            ["--backbone-lr", "1"],
            "No such option: --backbone-lr. Did you mean '--backbone-lr-multiplier'",
        ),  # a multiplier
        (["--no-togehter"], "No such option: --no-togehter. Did you mean '--no-together'? See"),
        (["--rate", "1", "--rate", "0"], "lr is 0"),  # one name twice: the last, as everywhere
        (["--name", "--lr", "--rate", "0"], "lr is 0"),  # a value that looks like an option
        (["--retain", "nowhere", "--strategy", "full"], "nowhere"),
    ],
)
def test_wrong_values_are_refused(
    capsys: Capsys, photos: Path, image_base: Path, arguments: list[str], expected: str
) -> None:
    assert expected in refused(capsys, "fit", "photos", "--base", image_base, *arguments)


@pytest.mark.parametrize("strategy", ["full", "partial", "norm"])
def test_thaw_beyond_the_stages(capsys: Capsys, here: Path, image_base: Path, strategy: str) -> None:
    noise_images(here / "photos", 60)
    error = refused(capsys, "fit", "photos", "--base", image_base, "--strategy", strategy, "--unfreeze", 99)
    assert "unfreeze is 99; this base has " in error
    assert " stages, so it is from 0 to " in error


def test_too_few_examples_to_compare_anything_on(capsys: Capsys, here: Path, image_base: Path) -> None:
    noise_images(here / "photos", 10)
    error = refused(capsys, "fit", "photos", "--base", image_base, "--strategy", "full")
    assert "comparing strategies takes at least 4. Add labelled rows, or raise --valid-size." in error


def test_options_reach_the_run(capsys: Capsys, here: Path, image_base: Path) -> None:
    noise_images(here / "photos", 60)
    options = (
        "--strategy",
        "full",
        "--epochs",
        2,
        "--lr",
        0.002,
        "--batch-size",
        8,
        "--augment",
        "none",
        "--unfreeze",
        1,
    )
    result = fitted(capsys, "photos", "--base", image_base, *options, "--no-scratch-baseline", "--budget", "10m")
    told = result["settings"]["training"]
    assert {name: told[name] for name in ("epochs", "rate", "batch", "augment", "thaw", "scratch_control")} == {
        "epochs": 2,
        "rate": 0.002,
        "batch": 8,
        "augment": "none",
        "thaw": 1,
        "scratch_control": False,
    }
    assert result["settings"]["budget"] == 600
    (record,) = result["training"]
    assert record["augmentation"] == "none, as asked for"
    assert record["unfrozen"] < record["weights"]
    assert [point["step"] for point in record["curve"]][-1] <= 2 * 5
    assert max(point["learning_rate"] for point in record["curve"]) <= 0.002


def test_a_rate_that_diverges_leaves_the_probe(capsys: Capsys, here: Path, image_base: Path) -> None:
    noise_images(here / "photos", 60)
    said = call(
        capsys, "fit", "photos", "--base", image_base, "--strategy", "full", "--lr", "1e9", "--epochs", 2, "--json"
    )
    assert said.code == 0, said
    assert '"strategy": "probe"' in said.out
    assert "back to step 0" in said.err
