"""Each check on a server that does all right, and on others that each do one thing wrong."""

from __future__ import annotations

import pytest

from results.conformance.questions import QUESTIONS, Grade
from tests.harness.conformance.tiny_server import Tiny
from tests.harness.conformance.truths import RIGHT, TRUTHS, Asked, Truth


@pytest.mark.parametrize("truth", TRUTHS, ids=str)
def test_what_is_known_of_a_server_is_found_and_nothing_else(asked: Asked, truth: Truth) -> None:
    found = asked(truth)
    assert {name: finding.outcome for name, finding in found.items()} == truth.outcomes
    if truth.kind is Tiny:
        assert all(finding.grade is not Grade.BROKEN for finding in found.values())


def test_every_question_is_asked() -> None:
    assert RIGHT.keys() == QUESTIONS.keys()


def test_every_outcome_of_every_question_is_that_of_some_server(asked: Asked) -> None:
    """None is unproven, and none stands there that cannot be."""
    found = [finding for truth in TRUTHS for finding in asked(truth).values()]
    assert {(finding.question, finding.outcome) for finding in found} == {
        (question.name, outcome) for question in QUESTIONS.values() for outcome in question.answers
    }
