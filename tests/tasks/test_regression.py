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
