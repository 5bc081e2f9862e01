import numpy as np
import pytest

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.tasks import Regression


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "3.5", None])
def test_a_target_that_is_no_finite_number_is_refused(bad):
    with pytest.raises(LabelError, match="row 2"):
        Regression.from_targets(objects([1.0, bad, 2.0]))


def test_targets_that_do_not_vary_cannot_be_learnt_from():
    with pytest.raises(LabelError, match="only the value 4"):
        Regression.from_targets([4.0, 4.0])


def test_answers_are_python_floats():
    (value,) = Regression().decode(np.array([[2.5]], dtype=np.float32))
    assert type(value) is float


def test_scores_are_left_as_they_are():
    scores = np.array([[3.0], [-1.0]])
    assert Regression().probabilities(scores) is scores


@pytest.mark.parametrize(
    ("targets", "said"), [([1.0, 1e200], "row 2 is 1e"), ([0.0, 1e-200], "differ by 1e-200"), ([-1e101, 0.0], "beyond")]
)
def test_targets_whose_squares_are_no_numbers_are_refused(targets, said):
    with pytest.raises(LabelError, match=said):
        Regression.from_targets(targets)


@pytest.mark.parametrize("targets", [[0.1, 0.2], [1.7e9, 1.7e9 + 40], [1e-40, 2e-40], [1e39, 2e39]])
def test_every_digit_of_a_target_is_kept(targets):
    assert Regression.from_targets(targets).encode(targets)[:, 0].tolist() == targets
