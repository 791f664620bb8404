"""Hostile requests, in a short run; hostile.py runs longer ones by hand."""

from collections import Counter
from typing import Any

import pytest

from . import hostile
from .stripe_events import NOW, as_bytes, event, signature


@pytest.mark.django_db
def test_no_mutation_of_a_request_is_taken_for_a_signed_one(settings: Any) -> None:
    settings.CC_STRIPE_SECRETS = {"": [hostile.SECRET], "shop": ["whsec_shop"]}
    figures = hostile.run(500, seed=5)
    assert figures.wrong == []
    assert figures.refused > 400
    # Some leave the request valid: the run would see a webhook that refuses everything.
    assert figures.still_valid > 10


def test_the_same_seed_gives_the_same_mutations_of_every_kind() -> None:
    bodies = [as_bytes(event())]
    first, second = (list(hostile.mutations(200, 7, bodies=bodies, now=NOW)) for _ in range(2))
    assert first == second != list(hostile.mutations(200, 8, bodies=bodies, now=NOW))
    assert set(Counter(kind for kind, _ in first)) == {each.__name__ for each in hostile.MUTATIONS}


def test_the_second_reading_of_signatures_knows_a_right_one() -> None:
    """By the webhook's own tests' signature, which shares no code with it."""
    body = as_bytes(event())
    for at, valid in ((NOW, True), (NOW - 300, True), (NOW - 301, False)):
        request = hostile.Request(body=body, header=signature(body, secret=hostile.SECRET, at=at))
        assert hostile.is_signed(request, secrets=[hostile.SECRET], now=NOW) is valid
        assert not hostile.is_signed(request, secrets=["whsec_other"], now=NOW)
