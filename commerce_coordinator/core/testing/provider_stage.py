"""How a provider's plugin is looked at: requests as the provider sends them, and what came of them."""

import contextlib
import copy
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import pytest
from django.db import transaction
from django.test import Client

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.webhooks import Meaning, ProviderEvent, Values, WebhookView
from commerce_coordinator.core.signals.signal import CoordinatorSignal

from . import routes_as
from .provider_fixtures import FACTS, FAILED, Absent, Event, Fact, ProviderFixtures

#: A test that names one of these as a parameter is run with each of the facts that the provider tells of.
FACTS_BY_PARAMETER = {
    "fact": FACTS,
    # Two events of one and the same fact count once. Tries to pay may fail more than once.
    "fact_told_once": [fact for fact in FACTS if fact is not FAILED],
    "fact_with_money": [fact for fact in FACTS if fact.has_money],
}

Test = TypeVar("Test", bound=Callable[..., None])


def needs(what: Callable[[type[ProviderFixtures]], Any]) -> Callable[[Test], Test]:
    """The test is left out where this is declared absent."""

    def mark(test: Test) -> Test:
        test.needs = what  # type: ignore[attr-defined]
        return test

    return mark


class ProviderStage(ProviderFixtures):
    """Where a plugin meets its provider."""

    pytestmark = pytest.mark.django_db

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__name__.startswith("Test"):
            return
        for name, test in [each for base in cls.__mro__[1:] for each in vars(base).items()]:
            if (needed := getattr(test, "needs", None)) and name not in vars(cls):
                # What is declared absent has no test; pytest collects no None.
                setattr(cls, name, None if isinstance(needed(cls), Absent) else test)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for name, facts in FACTS_BY_PARAMETER.items():
            if name in metafunc.fixturenames:
                there = [fact for fact in facts if not isinstance(self.signals[fact.contract], Absent)]
                metafunc.parametrize(name, there, ids=str)

    @pytest.fixture(autouse=True)
    def _nobody_receives(self) -> Iterator[None]:
        """What follows from the signals is not this contract's business."""
        with routes_as({signal.name: [] for signal in self.signals.values() if isinstance(signal, CoordinatorSignal)}):
            yield

    def post(self, event: Event | bytes, *, headers: Mapping[str, str] | None = None, **environment: Any) -> Any:
        """POST as the provider does, signed unless the headers are given. No cookie, no token of a form."""
        body = event if isinstance(event, bytes) else self.as_bytes(event)
        return Client(enforce_csrf_checks=True).post(
            self.url,
            body,
            content_type="application/json",
            headers=self.sign(body) if headers is None else headers,
            **environment,
        )

    def signal_of(self, fact: Fact) -> CoordinatorSignal:
        signal = self.signals[fact.contract]
        assert isinstance(signal, CoordinatorSignal)
        return signal

    def told_of(self, events: list[Event]) -> list[str]:
        """All that is told after these events, whatever their order; then it is undone."""
        with undone():
            for event in events:
                assert self.post(event).json()["status"] == "sent"
            rows = Dispatch.objects.values_list("signal", "payload")
            assert len(rows) == len(events)
            return sorted(json.dumps(row, sort_keys=True) for row in rows)

    def refused(self, answer: Any, why: str) -> None:
        assert 400 <= answer.status_code < 500, f"{why}: answered {answer.status_code}"
        assert answer.json()["error"]["code"], why
        self.nothing_kept()

    def nothing_kept(self) -> None:
        assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (0, 0)

    def ignored(self, event: Event) -> None:
        answer = self.post(event)
        assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
        row = InboxEvent.objects.get()
        assert row.state == "ignored" and row.reason
        assert not Dispatch.objects.exists()

    def failed_without_values(self, event: Event, why: str) -> InboxEvent:
        """It is kept as failed, and the reason names no value of it."""
        answer = self.post(event)
        assert (answer.status_code, answer.json()["status"]) == (200, "failed"), why
        row = InboxEvent.objects.get()
        assert row.state == "failed" and row.reason
        private = () if isinstance(self.private, Absent) else self.private
        assert not [value for value in private if value in row.reason], why
        assert not Dispatch.objects.exists()
        return row

    def mended_table(self, whole: Event) -> dict[str, Meaning | list[Meaning]]:
        """The plugin's table after a fix that finds what an event lacks."""

        def mended(meaning: Meaning) -> Meaning:
            signal, build = meaning

            def build_from_whole(event: ProviderEvent, account: str) -> Values:
                return build(dataclasses.replace(event, data=copy.deepcopy(whole)), account)

            return signal, build_from_whole

        table = WebhookView.by_provider[self.provider].signals
        return {
            name: [mended(each) for each in entry] if isinstance(entry, list) else mended(entry)
            for name, entry in table.items()
        }


class Unreadable:
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("The body was read before its length was looked at.")

    readline = read


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """What is written inside is taken back at its end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
