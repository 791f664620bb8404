"""`manage.py routes` and `manage.py simulate`: a map is judged before it runs, and nothing is touched."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as present

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test, shipped_signals_only
from commerce_coordinator.payloads.base import Payload, PrivateText
from commerce_coordinator.settings import operator, routes

from .typed import Typed

PLUGINS = "commerce_coordinator.plugins"
PAYPAL_CAPTURED = f"{PLUGINS}.paypal.signals.payment_captured"
PLACE_ORDER = f"{PLUGINS}.fulfillment.tasks.place_order"

pytestmark = pytest.mark.needs_plugins(
    "stripe", "paypal", "fulfillment", "lms", "notifications", "ecommerce", "order_history", "demo_lms"
)


@pytest.fixture(autouse=True)
def shipped(settings: Any) -> Any:
    """The shipped maps are the present ones, without the demo's additions; other tests' signals are away."""
    settings.CC_SIGNALS = {**present.CC_SIGNALS, **routes.CC_SIGNALS}
    settings.OPEN_EDX_FILTERS_CONFIG = {**present.OPEN_EDX_FILTERS_CONFIG, **routes.OPEN_EDX_FILTERS_CONFIG}
    with shipped_signals_only():
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "candidate.yml"


# --- A candidate ---


def test_candidate_that_changes_nothing_says_so(file: Path) -> None:
    file.write_text("CC_RETENTION_DAYS: 30\n")
    shown = Typed("routes", "--config", str(file))
    assert (shown.failure, shown.out) == ("", "The maps would stay as they are.\n")


def test_candidate_is_shown_as_what_it_means(file: Path) -> None:
    file.write_text(f"CC_SIGNALS:\n  {PAYPAL_CAPTURED}: []\n")
    before = dict(present.CC_SIGNALS)
    shown = Typed("routes", "--config", str(file))
    assert shown.failure == ""
    lines = shown.out.splitlines()
    assert lines[:2] == ["paypal.payment_captured", "  - fulfillment.place_order"]
    assert lines[2].startswith("  paypal.payment_captured will no longer place order (")
    assert "lms.enroll_learner" in lines[3]
    assert lines[-1] == "1 of the map's entries would change."
    assert before == present.CC_SIGNALS


def test_candidate_may_come_by_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"CC_SIGNALS:\n  {PLUGINS}.stripe.signals.payment_failed: [{PLUGINS}.fulfillment.tasks.note_dispute]\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    shown = Typed("routes", "--config", "-")
    assert f"cc.E008: {PLUGINS}.fulfillment.tasks.note_dispute requires" in shown.failure


def test_candidates_filters_are_compared_by_their_order_too(file: Path) -> None:
    name = "org.edx.coordinator.fulfillment.order_details.requested.v1"
    entry = routes.OPEN_EDX_FILTERS_CONFIG[name]
    file.write_text(json.dumps({"OPEN_EDX_FILTERS_CONFIG": {name: {**entry, "pipeline": entry["pipeline"][::-1]}}}))
    shown = Typed("routes", "--config", str(file))
    assert shown.out.splitlines()[0] == name
    assert "  asked in another order: ecommerce.LegacyOrderDetails, fulfillment.PaymentMetadata" in shown.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"CC_SIGNALS:\n  {PAYPAL_CAPTURED}: [{PLACE_ORDER[:-1]}]", f"cc.E001: {PLACE_ORDER[:-1]}"),
        (f"CC_SIGNALS:\n  {PAYPAL_CAPTURED}: {PLACE_ORDER}", f"cc.E009: {PAYPAL_CAPTURED}"),
        (f"CC_SIGNALS:\n  {PAYPAL_CAPTURED}: []\n  {PAYPAL_CAPTURED}: []", f"the key {PAYPAL_CAPTURED} twice (line 3"),
        (f"CC_SIGNALS:\n  {PAYPAL_CAPTURED}: !!set {{}}", "cc.E029"),
        ("CC_SIGNALS: [", "cc.E033"),
        ("- CC_SIGNALS", "must map names of settings, in capitals, to their values"),
        ("CC_SIGNAL: {}", "there is no setting CC_SIGNAL"),
        ("CC_ROLE: web", "CC_ROLE must be set in the environment"),
    ],
)
def test_wrong_candidate_is_an_error_that_names_what_is_wrong(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    shown = Typed("routes", "--config", str(file))
    assert told in shown.failure
    assert "COMMERCE_COORDINATOR_CFG" not in shown.failure


def test_candidate_that_cannot_be_read_is_named(file: Path) -> None:
    assert Typed("routes", "--config", str(file)).failure == f"{file} cannot be read: No such file or directory."
    file.write_bytes(b"CC_SIGNALS: \xff")
    assert "its encoding is not UTF-8" in Typed("routes", "--config", str(file)).failure


# --- The present map ---


def test_map_as_a_file_is_the_map(file: Path) -> None:
    shown = Typed("routes", "--yaml")
    assert shown.failure == ""
    assert operator.parse(shown.out) == {
        "CC_SIGNALS": present.CC_SIGNALS,
        "OPEN_EDX_FILTERS_CONFIG": present.OPEN_EDX_FILTERS_CONFIG,
    }
    assert yaml.safe_load(shown.out)
    file.write_text(shown.out)
    assert Typed("routes", "--config", str(file)).out == "The maps would stay as they are.\n"


def test_file_documents_each_signal_in_lines_that_fit() -> None:
    lines = Typed("routes", "--yaml").out.splitlines()
    place = lines.index(f"  {PAYPAL_CAPTURED}:")
    assert lines[place - 1].startswith("  # ")
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(("language", "first", "last"), [("mermaid", "flowchart LR", ""), ("dot", "digraph", "}")])
def test_map_as_a_graph(language: str, first: str, last: str) -> None:
    lines = Typed("routes", "--format", language).out.splitlines()
    assert lines[0].startswith(first)
    assert lines[-1].endswith(last)
    s, r = f"s_{PAYPAL_CAPTURED}".replace(".", "_"), f"r_{PLACE_ORDER}".replace(".", "_")
    arrow = "-->" if language == "mermaid" else "->"
    assert [line.strip(" ;") for line in lines].count(f"{s} {arrow} {r}") == 1
    placed = f"s_{PLUGINS}.fulfillment.signals.order_placed".replace(".", "_")
    assert f"{r} {arrow} {placed}" in [line.strip(" ;") for line in lines]


# --- A dry run ---


class SeatSold(Payload):
    order_number: str
    row: int = 1
    username: PrivateText = ""


@pytest.fixture
def payload(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        path = tmp_path / "payload.json"
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.django_db
def test_sending_is_shown_down_to_the_leaves_and_nothing_is_done(payload: Any) -> None:
    values = {
        "provider": "paypal",
        "account": "",
        "payment_id": "C1",
        "order_number": "EDX-1",
        "money": {"amount": 14900, "currency": "USD"},
        "captured_at": "2026-03-01T12:00:00Z",
        "username": "ann-the-learner",
    }
    shown = Typed("simulate", "paypal.payment_captured", "--payload", payload(json.dumps(values)))
    assert shown.failure == ""
    assert shown.out.startswith("signal paypal.payment_captured EDX-1\n└─ fulfillment.place_order  [task]\n")
    assert '"money": {"amount": 14900, "currency": "USD"}' in shown.out
    assert "lms.enroll_learner  [task]" in shown.out
    assert '"username": "•••"' in shown.out
    assert shown.out.endswith("Nothing was sent, and nothing written.\n")
    assert not Dispatch.objects.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"order_number": 7}', "order_number: Input should be a valid string"),
        ('{"order_number": "EDX-1", "colour": "red"}', "colour: Extra inputs are not permitted"),
        ("[]", "must hold a JSON object"),
        ("{", "is not valid JSON in UTF-8"),
    ],
)
def test_payload_that_does_not_fit_is_refused(payload: Any, text: str, told: str) -> None:
    assert told in Typed("simulate", "paypal.payment_captured", "--payload", payload(text)).failure


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    failure = Typed("simulate", "paypal.payment_captured", "--payload", str(tmp_path / "x.json")).failure
    assert failure == f"{tmp_path / 'x.json'} cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("paypal.payment_capture", "Did you mean paypal.payment_captured?"),
        (f"{PAYPAL_CAPTURED}s", f"Did you mean {PAYPAL_CAPTURED}?"),
        ("nothing.like_it", "There is no signal nothing.like_it. `manage.py routes`"),
    ],
)
def test_signal_that_does_not_exist_is_named_with_the_nearest(payload: Any, name: str, told: str) -> None:
    assert told in Typed("simulate", name, "--payload", payload("{}")).failure


@pytest.fixture
def shop(shipped: Any) -> Any:
    with plugin_of_a_test() as plugin:
        yield plugin


def test_receiver_is_given_what_it_takes_and_an_unrouted_sending_is_told(
    shop: Any, settings: Any, payload: Any
) -> None:
    @shop.receiver
    def count(row: int) -> None:
        raise AssertionError("It ran.")

    @shop.receiver
    def keep(**values: Any) -> None:
        raise AssertionError("It ran.")

    shop.signal("seat_sold", SeatSold, subject="order_number")
    settings.CC_SIGNALS = {**shop.whole_map, "test_shop.seat_sold": ["test_shop.count", "test_shop.keep"]}
    path = payload('{"order_number": "EDX-1", "username": "ann"}')
    out = Typed("simulate", "test_shop.seat_sold", "--payload", path).out
    assert 'test_shop.count  [inline]\n│  └─ is given {"row": 1}' in out
    assert 'is given {"order_number": "EDX-1", "row": 1, "username": "•••"}' in out
    settings.CC_SIGNALS = shop.whole_map
    assert "kept as unrouted" in Typed("simulate", "test_shop.seat_sold", "--payload", path).out
