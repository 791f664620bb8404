"""A filter is answered by its steps, in order, or its asker hears why not."""

import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openedx_filters.exceptions import OpenEdxFilterException

from commerce_coordinator.core import pipelines
from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import GiveUp, StepReturnedNoDict, WrongMap
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test
from commerce_coordinator.core.telemetry.context import current_span, span

from .filters_of_a_test import a_filter, a_step, aloud

SECRET = "ann@example.com"


@pytest.fixture
def shop():
    with plugin_of_a_test() as shop:
        yield shop


@pytest.fixture
def price(shop, settings):
    """`price(step, ...)`: the filter, answered by these functions."""

    def answered_by(*runs, **extra):
        entry = aloud(*[a_step(shop, run) for run in runs], **extra)
        settings.OPEN_EDX_FILTERS_CONFIG = {**settings.OPEN_EDX_FILTERS_CONFIG, asked.filter_type: entry}
        return asked

    asked = a_filter("price")
    return answered_by


def list_price(self, *, seat, **asked):
    return {"price": 10, "from": [seat]}


def halve(self, *, price, **asked):
    return {"price": price / 2, "from": [*asked["from"], "sale"]}


def nothing(self, **asked):
    return {}


# --- Answers ---


def test_each_step_gets_what_was_asked_and_what_was_answered_before(price):
    assert price(list_price, nothing, halve).ask(seat="A1") == {"seat": "A1", "price": 5, "from": ["A1", "sale"]}


def test_a_filter_that_nobody_answers_gives_back_what_was_asked(price):
    assert price().ask(seat="A1") == {"seat": "A1"}


def test_the_ecosystems_name_asks_the_same(price):
    assert price(list_price).run_pipeline(seat="A1") == price(list_price).ask(seat="A1")


def test_any_name_may_be_asked_with(price):
    assert price(nothing).ask(cls=1, values=2) == {"cls": 1, "values": 2}


def test_the_askers_own_dict_is_not_changed(price):
    values = {"seat": "A1"}
    price(list_price).ask(**values)
    assert values == {"seat": "A1"}


def test_a_step_knows_its_filter_its_pipeline_and_the_further_keys(price):
    def tell(self, **asked):
        return {"told": (self.filter_type, self.running_pipeline, self.extra_config)}

    asked = price(nothing, tell, sale=0.5)
    paths = ["test_shop.nothing", "test_shop.tell"]
    assert asked.ask()["told"] == (asked.filter_type, paths, {"sale": 0.5})


def test_a_step_keeps_nothing_from_one_asker_to_the_next(price):
    def remember(self, *, seat, **asked):
        seen = [*getattr(self, "seen", []), seat]
        self.seen = seen
        return {"seen": seen}

    asked = price(remember)
    assert [asked.ask(seat=seat)["seen"] for seat in ("A1", "A2")] == [["A1"], ["A2"]]


# --- No silence ---


@pytest.mark.parametrize("error", [OpenEdxFilterException("full"), KeyError(SECRET), GiveUp("gone"), SystemExit(1)])
def test_what_a_step_raises_goes_to_the_asker_and_no_step_follows(price, caplog, error):
    caplog.set_level(logging.DEBUG)
    ran = []

    def fail(self, **asked):
        raise error

    def follow(self, **asked):
        ran.append(asked)
        return {}

    with pytest.raises(type(error)) as raised:
        price(fail, follow).ask(seat=SECRET)
    assert raised.value is error
    assert ran == []
    # The library's own runner would have logged the error's text.
    assert caplog.records == []


@pytest.mark.parametrize("value", [None, [], "text", 0, [("price", 5)]])
def test_a_step_that_returns_no_dict_is_an_error_without_values(price, value):
    def answer(self, **asked):
        return value

    with pytest.raises(StepReturnedNoDict, match=r"^test_shop\.answer returned no dict") as raised:
        price(answer).ask(seat=SECRET)
    assert SECRET not in str(raised.value)


def test_the_librarys_own_runner_is_never_used(price, monkeypatch):
    from openedx_filters.tooling import OpenEdxPublicFilter

    for name in ("run_pipeline", "get_steps_for_pipeline", "get_pipeline_configuration"):
        monkeypatch.delattr(OpenEdxPublicFilter, name)
    assert price(list_price).run_pipeline(seat="A1")["price"] == 10


@pytest.mark.parametrize("entry", [{"pipeline": []}, {"fail_silently": True, "pipeline": []}, ["test_shop.gone"]])
def test_a_wrong_configuration_answers_nobody_even_if_it_was_not_checked(price, settings, entry):
    asked = price()
    settings.OPEN_EDX_FILTERS_CONFIG = {asked.filter_type: entry}
    with pytest.raises(WrongMap):
        asked.ask()


def test_a_filter_without_a_configuration_answers_nobody(price, settings):
    asked = price()
    settings.OPEN_EDX_FILTERS_CONFIG = {}
    with pytest.raises(WrongMap, match=rf"cc\.E020: {asked.filter_type} is not configured"):
        asked.ask()


# --- Resolved once ---


def test_steps_are_looked_up_once_per_configuration(price, settings, monkeypatch):
    looked_up = []
    found = pipelines.named_by
    monkeypatch.setattr(pipelines, "named_by", lambda path: looked_up.append(path) or found(path))
    asked = price(list_price, halve)
    for _ in range(3):
        asked.ask(seat="A1")
    assert looked_up == ["test_shop.list_price", "test_shop.halve"]


def test_a_configuration_that_changes_is_followed_in_place_too(price, settings):
    asked = price(list_price, halve)
    assert asked.ask(seat="A1")["price"] == 5
    settings.OPEN_EDX_FILTERS_CONFIG[asked.filter_type]["pipeline"].pop()
    assert asked.ask(seat="A1")["price"] == 10
    settings.OPEN_EDX_FILTERS_CONFIG = {asked.filter_type: aloud("test_shop.nothing_such")}
    with pytest.raises(WrongMap, match=r"test_shop\.nothing_such"):
        asked.ask(seat="A1")


# --- Spans ---


def test_every_step_is_a_span_of_the_askers_trace(price):
    spans = []

    def note(self, **asked):
        spans.append(current_span())
        return {}

    def note_too(self, **asked):
        return note(self)

    with span("outer") as outer:
        price(note, note_too).ask(seat=SECRET)
    price(note, note_too).ask(seat=SECRET)
    assert [each.name for each in spans] == ["test_shop.note", "test_shop.note_too"] * 2
    assert {each.trace_id for each in spans[:2]} == {outer.trace_id}
    # Without a trace around it, the question is one.
    assert len({each.trace_id for each in spans}) == 2
    assert len({each.span_id for each in spans}) == 4
    assert {each.ids["filter"] for each in spans} == {a_filter("price").filter_type}
    assert SECRET not in str(spans)


# --- Inside a delivery ---


@pytest.fixture
def attempt(shop):
    """`attempt(task)`: a delivery task with this body has run once; its attempt."""

    def ran(body):
        def ask_price(order):
            body()

        shop.task(ask_price)
        signal = shop.signal("seat_sold")
        with shop.routed(seat_sold=["ask_price"]):
            signal.send_robust(sender="test", order=SECRET)
            with CaptureQueriesContext(connection) as captured:
                deliver(Delivery.objects.get().pk.hex)
        # The first looks the delivery up, for us; savepoints are there because the test is a transaction.
        statements = [each["sql"] for each in captured if "SAVEPOINT" not in each["sql"]][1:]
        assert len(statements) <= 4
        return Attempt.objects.get()

    return ran


@pytest.mark.django_db
def test_steps_stand_in_the_attempt_with_their_outcomes_and_without_values(price, attempt):
    def fail(self, **asked):
        raise ValueError(SECRET)

    asked = price(list_price, fail)
    row = attempt(lambda: asked.ask(seat=SECRET))
    first, second = row.calls
    assert (first["step"], first["outcome"], first.get("error")) == ("test_shop.list_price", "answered", None)
    assert (second["step"], second["outcome"], second["error"]) == ("test_shop.fail", "failed", "ValueError")
    for each in row.calls:
        assert each["filter"] == asked.filter_type
        assert each["ms"] >= 0 and each["at"].startswith("20") and len(each["span_id"]) == 16
        assert each["inside"] == 0
    assert SECRET not in str(row.calls)
    assert row.error_class == "ValueError"


@pytest.mark.django_db
def test_a_step_that_returns_no_dict_is_a_failed_one(price, attempt):
    def answer(self, **asked):
        return None

    asked = price(answer)
    (step,) = attempt(lambda: asked.ask()).calls
    assert (step["outcome"], step["error"]) == ("failed", "StepReturnedNoDict")


@pytest.mark.django_db
def test_a_step_that_ends_the_process_is_kept(price, attempt):
    def end(self, **asked):
        raise SystemExit(3)

    asked = price(end)
    with pytest.raises(SystemExit):
        attempt(lambda: asked.ask())
    (step,) = Attempt.objects.get().calls
    assert (step["outcome"], step["error"]) == ("failed", "SystemExit")


def test_outside_of_a_delivery_nothing_is_kept(price):
    assert "calls" not in price(list_price).ask(seat="A1")
