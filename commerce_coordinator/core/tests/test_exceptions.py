"""One root for all that the engine raises; a class's docstring is its message."""

import inspect

import pytest

from commerce_coordinator.core import exceptions
from commerce_coordinator.core.exceptions import CoordinatorError, GiveUp, Retry, WebhookRefused, WrongMap
from commerce_coordinator.core.signals.mistakes import mistake

CLASSES = [
    found for _, found in inspect.getmembers(exceptions, inspect.isclass) if found.__module__ == exceptions.__name__
]
PLAIN = [found for found in CLASSES if found not in (WrongMap, WebhookRefused)]


@pytest.mark.parametrize("found", CLASSES)
def test_all_have_one_root_and_a_docstring_of_their_own(found):
    assert issubclass(found, CoordinatorError)
    assert "__doc__" in vars(found) and found.__doc__


@pytest.mark.parametrize("found", PLAIN)
def test_the_docstring_is_the_message_unless_another_is_given(found):
    assert str(found()) == found.__doc__
    assert str(found("Something else.")) == "Something else."


def test_context_is_kept_apart_from_the_message():
    error = GiveUp("No such course.", course_key="edX+Demo")
    assert str(error) == "No such course." and error.context == {"course_key": "edX+Demo"}


def test_retry_says_how_long_the_far_side_asked_to_wait():
    assert Retry().after is None
    error = Retry("Later.", after=2.5, status=503)
    assert (str(error), error.after, error.context) == ("Later.", 2.5, {"status": 503})


def test_a_refused_webhook_has_a_code_and_a_status():
    refused = WebhookRefused("body_not_json", "The body is not JSON.")
    assert (refused.code, refused.status, str(refused)) == ("body_not_json", 400, "The body is not JSON.")
    assert WebhookRefused("body_too_large", "Too large.", status=413).status == 413


def test_a_wrong_map_counts_and_lists_its_mistakes_with_their_hints():
    one = mistake("E001", "shop.sold", "does not resolve", "Correct the path.")
    other = mistake("E003", "shop.given", "is not in the map", "Add it.")
    assert str(WrongMap([one])).startswith("The map has 1 mistake; nothing starts until it is mended.\n")
    wrong = WrongMap([one, other])
    assert str(wrong).splitlines() == [
        "The map has 2 mistakes; nothing starts until it is mended.",
        "cc.E001: shop.sold does not resolve.",
        "    HINT: Correct the path.",
        "cc.E003: shop.given is not in the map.",
        "    HINT: Add it.",
    ]
    assert wrong.mistakes == [one, other]
