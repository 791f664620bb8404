"""Each log line is whole, carries the ids of its span, and shows nothing private: for programs and for people."""

import io
import json
import logging
import logging.config

import pytest

from commerce_coordinator.core.telemetry.context import span
from commerce_coordinator.core.telemetry.logs import logging_settings
from commerce_coordinator.core.telemetry.masking import MASK

PRIVATE = ["ada@example.com", "hunter2", "sk_live_abc"]


class Log:
    """A logger of its own behind the formatter that the settings describe."""

    def __init__(self, **options):
        settings = logging_settings(**options)
        formatter = logging.config.DictConfigurator(settings).configure_formatter(settings["formatters"]["structured"])
        self._stream = io.StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(formatter)
        self.logger = logging.Logger("commerce_coordinator.test")  # noqa: LOG001 - nobody else shall find it
        self.logger.addHandler(handler)

    @property
    def text(self):
        return self._stream.getvalue()

    @property
    def lines(self):
        return self.text.splitlines()

    @property
    def json(self):
        (line,) = self.lines
        return json.loads(line)


@pytest.fixture
def programs_log():
    return Log(json=True)


@pytest.fixture
def peoples_log():
    return Log(json=False)


@pytest.fixture(params=["for programs", "for people"])
def log(request, programs_log, peoples_log):
    return programs_log if request.param == "for programs" else peoples_log


def fail_privately():
    raise RuntimeError("No learner ada@example.com\nat mysql://u:hunter2@db/x with key sk_live_abc")


def test_an_exceptions_text_is_masked_and_still_tells_where(log):
    with span("webhook"):
        try:
            fail_privately()
        except RuntimeError:
            log.logger.exception("Building the payload failed.")
    assert [private for private in PRIVATE if private in log.text] == []
    assert MASK in log.text or json.dumps(MASK)[1:-1] in log.text
    assert "Building the payload failed." in log.text
    assert "RuntimeError" in log.text and "in fail_privately" in log.text


def test_for_programs_an_exception_is_one_line_of_json(programs_log):
    with span("webhook", delivery="01890a5d") as step:
        try:
            fail_privately()
        except RuntimeError:
            programs_log.logger.exception("Building the payload failed.", extra={"provider": "stripe"})
    line = programs_log.json
    assert line["event"] == "Building the payload failed."
    assert (line["level"], line["logger"]) == ("error", "commerce_coordinator.test")
    assert (line["trace_id"], line["delivery"], line["provider"]) == (step.trace_id, "01890a5d", "stripe")
    assert "RuntimeError: No learner" in line["exception"]
    assert line["timestamp"].endswith("Z")


def test_a_chained_exception_is_masked_too(log):
    try:
        try:
            fail_privately()
        except RuntimeError as error:
            raise ValueError("Also ada@example.com.") from error
    except ValueError:
        log.logger.exception("Failed.")
    assert "The above exception was the direct cause" in log.text
    assert [private for private in PRIVATE if private in log.text] == []


def test_the_message_and_its_arguments_are_masked(log):
    log.logger.warning("Mail to %s bounced with %s.", "ada@example.com", {"key": "sk_live_abc"})
    assert "Mail to" in log.text and "bounced" in log.text
    assert [private for private in PRIVATE if private in log.text] == []


@pytest.mark.parametrize("key", ["payload", "email", "username", "body", "client_secret", "user_name", "full_name"])
def test_values_under_private_keys_are_masked_whatever_they_hold(programs_log, peoples_log, key):
    for value in ("Ada", {"deep": ["Ada"]}, ["Ada"]):
        for log in (programs_log, peoples_log):
            log.logger.info("Something happened.", extra={key: value})
            assert "Ada" not in log.text and "Something happened." in log.text and key in log.text


def test_ids_are_there_to_be_searched_for(log):
    ids = {
        "delivery": "01890a5d-ac96-774b-bcce-b302099a8057",
        "dispatch": "01890a5d-ac96-774b-bcce-b302099a8058",
        "event_id": "evt_1PqXyZ",
        "sender": "commerce_coordinator.plugins.stripe.webhooks.StripeWebhookView",
        "signal": "commerce_coordinator.plugins.stripe.signals.payment_captured",
    }
    log.logger.info("Signal recorded.", extra=ids)
    assert [value for value in ids.values() if value not in log.text] == []


class Learner:
    def __repr__(self):
        return "<Learner ada@example.com>"


@pytest.mark.parametrize("value", [Learner(), ValueError("ada@example.com"), {"ada@example.com"}, b"ada@example.com"])
def test_objects_are_masked_as_they_are_written(programs_log, peoples_log, value):
    for log in (programs_log, peoples_log):
        log.logger.info("Something happened.", extra={"found": value, "inside": [{"x": value}]})
        assert "ada@" not in log.text


def test_a_stack_is_masked_and_kept(log):
    log.logger.warning("Called from ada@example.com.", stack_info=True)
    assert "ada@" not in log.text


def test_the_spans_ids_are_on_the_line_and_the_lines_own_win(programs_log):
    with span("webhook", provider="stripe", delivery="outer") as step:
        programs_log.logger.info("Something happened.", extra={"delivery": "inner"})
    assert (programs_log.json["provider"], programs_log.json["delivery"]) == ("stripe", "inner")
    assert programs_log.json["trace_id"] == step.trace_id


def test_private_ids_of_a_span_are_masked(log):
    with span("webhook", username="ada", note="ada@example.com"):
        log.logger.info("Something happened.")
    assert "=ada" not in log.text and '"ada"' not in log.text and "ada@" not in log.text


def test_outside_a_span_there_is_no_trace(programs_log):
    programs_log.logger.info("Something happened.")
    assert "trace_id" not in programs_log.json


def test_a_line_break_in_a_value_makes_no_second_line(programs_log):
    programs_log.logger.info("First\nsecond", extra={"why": "a\nb\r\nc\u2028d"})
    assert programs_log.json["event"] == "First\nsecond"


def test_for_people_a_line_tells_what_happened_and_to_which_delivery(peoples_log):
    with span("webhook", delivery="01890a5d"):
        peoples_log.logger.info("Delivery settled.", extra={"state": "succeeded"})
    (line,) = peoples_log.lines
    assert "Delivery settled." in line and "delivery=01890a5d" in line and "state=succeeded" in line
    assert "\x1b[" not in line


def test_colours_are_for_terminals_that_ask_for_them():
    log = Log(json=False, colors=True)
    log.logger.info("Delivery settled.")
    assert "\x1b[" in log.text


def test_the_settings_are_what_djangos_logging_takes():
    for json_lines in (True, False):
        settings = logging_settings(json=json_lines, level="WARNING")
        assert settings["root"] == {"handlers": ["stderr"], "level": "WARNING"}
        assert settings["disable_existing_loggers"] is False
        # Their own handlers would write request lines and task arguments, unmasked.
        assert settings["loggers"]["django.server"]["handlers"] == []
        assert settings["loggers"]["celery.app.trace"]["level"] == "WARNING"
        logging.config.DictConfigurator(settings).configure_formatter(settings["formatters"]["structured"])
