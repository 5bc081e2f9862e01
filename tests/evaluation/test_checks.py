"""Truth and probabilities that cannot be judged are refused, each in one clear line."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.evaluation.checks import check_answers

Y = np.array([0, 1, 2])
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
NAN = np.where(np.arange(3)[:, None] == 1, np.nan, P)

REFUSED = [
    ("classification", Y, P * 0.9, "3 of 3 rows.*do not sum to one.*0.9"),
    ("classification", Y, NAN, "row 2 has probabilities that are not finite"),
    ("classification", Y, np.log(P), "outside 0 to 1"),
    ("classification", Y + 1, P, "row 3 has a true class outside 0 to 2"),
    ("classification", Y[:2], P, r"\(2,\).*\(3, 3\)"),
    ("classification", Y.astype(float), P, "float64.*class numbers"),
    ("classification", Y, P[0], "must be"),
    ("multilabel", Y, P, r"\(3,\)"),
    ("multilabel", np.eye(3) * 2, P, "other than 0 and 1"),
    ("regression", np.array([[np.nan], [1.0]]), np.zeros((2, 1)), "row 1 has targets"),
    ("regression", np.zeros((2, 1)), np.array([[np.inf], [1.0]]), "row 1 has predictions"),
    ("ranking", Y, P, "'ranking' is unknown"),
]


@pytest.mark.parametrize(("task", "y", "p", "said"), REFUSED)
def test_what_cannot_be_judged_is_refused_in_one_line(task, y, p, said):
    with pytest.raises(SettingError, match=said) as caught:
        check_answers(task, y, p)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("task", "y", "p"),
    [
        ("classification", Y, P),
        ("classification", Y, P.astype(np.float16)),
        ("classification", np.zeros(0, int), np.zeros((0, 3))),
        ("multilabel", np.eye(3, dtype=np.float32), P * 0.5),
        ("regression", np.array([[1e9], [-3.0]]), np.zeros((2, 1))),
    ],
)
def test_what_can_be_judged_passes(task, y, p):
    check_answers(task, y, p)
