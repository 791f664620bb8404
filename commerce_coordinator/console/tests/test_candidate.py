"""`manage.py routes --config`: a file is judged and understood before it runs, and nothing that runs is touched."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as present

from commerce_coordinator.core.deliveries import receivers
from commerce_coordinator.core.signals.mistakes import FILE_MISTAKES
from commerce_coordinator.core.signals.tests.plugin_of_a_test import shipped_signals_only
from commerce_coordinator.settings import routes

from .typed import Typed

PLUGINS = "commerce_coordinator.plugins"
PAYPAL_CAPTURED = f"{PLUGINS}.paypal.signals.payment_captured"
FAILED = f"{PLUGINS}.stripe.signals.payment_failed"
PLACE_ORDER = f"{PLUGINS}.fulfillment.tasks.place_order"
PRICE = "org.edx.coordinator.paypal.price_owed.requested.v1"
DETAILS = "org.edx.coordinator.fulfillment.order_details.requested.v1"
STEP = f"{PLUGINS}.ecommerce.steps.LegacyOrderDetails"

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


def one_signal(name: str, paths: Any) -> str:
    return json.dumps({"CC_SIGNALS": {name: paths}})


def one_filter(name: str, entry: Any) -> str:
    return json.dumps({"OPEN_EDX_FILTERS_CONFIG": {name: entry}})


def aloud(*pipeline: Any, **extra: Any) -> dict[str, Any]:
    return {"fail_silently": False, "pipeline": list(pipeline), **extra}


def aliases(lines: int) -> str:
    """A list of 10 ** lines entries."""
    found = ["A0: &a0 x"]
    found += [f"A{line}: &a{line} [{', '.join([f'*a{line - 1}'] * 10)}]" for line in range(1, lines + 1)]
    return "\n".join(found)


#: (the file, the ids of what is wrong with it: one, once)
BROKEN: Mapping[str, tuple[str | bytes, str]] = {
    # --- It is no map of settings ---
    "list": (b"- CC_SIGNALS", "cc.E033"),
    "text": (b"CC_SIGNALS", "cc.E033"),
    "small letters": (b"cc_signals: {}", "cc.E033"),
    "bracket left open": (b"CC_SIGNALS: {", "cc.E033"),
    "tab": (b"CC_SIGNALS:\n\ta.b: []", "cc.E033"),
    "two documents": (b"A: 1\n---\nB: 2", "cc.E033"),
    "list as a key": (b"CC_SIGNALS: {[a]: []}", "cc.E033"),
    "alias of nothing": (b"CC_SIGNALS: *nothing", "cc.E033"),
    "alias of what it stands in": (f"CC_SIGNALS: {{{FAILED}: &a [*a]}}", "cc.E033"),
    "aliases without end": (aliases(9), "cc.E033"),
    "nested without end": ("A: " + "[" * 5000, "cc.E033"),
    "huge": ("A: " + "x" * 2_000_001, "cc.E033"),
    "not UTF-8": ("A: für".encode("latin-1"), "cc.E033"),
    "UTF-16": ("A: 1".encode("utf-16"), "cc.E033"),
    "NUL": (b"A: \x00", "cc.E033"),
    "day that is none": (b"A: 2026-13-45", "cc.E033"),
    "number without end": ("A: " + "9" * 5000, "cc.E033"),
    # --- A key twice, a tag ---
    "setting twice": (b"CC_SIGNALS: {}\nCC_SIGNALS: {}", "cc.E028"),
    "signal twice": (f"CC_SIGNALS: {{{FAILED}: [], {FAILED}: []}}", "cc.E028"),
    "set": (f"CC_SIGNALS: {{{FAILED}: !!set {{}}}}", "cc.E029"),
    "object of Python": (b'CC_SIGNALS: !!python/object/apply:os.system ["true"]', "cc.E029"),
    # --- No map of lists of texts ---
    "no signals": (b"CC_SIGNALS:", "cc.E009"),
    "list of signals": (f"CC_SIGNALS: [{FAILED}]", "cc.E009"),
    "nothing for a list": (f"CC_SIGNALS: {{{FAILED}: }}", "cc.E009"),
    "path for a list": (one_signal(PAYPAL_CAPTURED, PLACE_ORDER), "cc.E009"),
    "number in a list": (one_signal(PAYPAL_CAPTURED, [7]), "cc.E009"),
    "list in a list": (one_signal(PAYPAL_CAPTURED, [[PLACE_ORDER]]), "cc.E009"),
    # --- A map that is wrong ---
    "signal misspelt": (one_signal(f"{FAILED}s", []), "cc.E001"),
    "number for a signal": (b"CC_SIGNALS: {7: []}", "cc.E001"),
    "receiver misspelt": (one_signal(PAYPAL_CAPTURED, [PLACE_ORDER[:-1]]), "cc.E001"),
    "no signal": (one_signal(PLACE_ORDER, []), "cc.E002"),
    "module for a receiver": (one_signal(PAYPAL_CAPTURED, [f"{PLUGINS}.fulfillment.tasks"]), "cc.E004"),
    "receiver twice": (one_signal(PAYPAL_CAPTURED, [PLACE_ORDER] * 2), "cc.E006"),
    "other Celery task": (one_signal(FAILED, ["commerce_coordinator.core.deliveries.tasks.canary"]), "cc.E007"),
    "receiver that asks for more": (one_signal(FAILED, [f"{PLUGINS}.fulfillment.tasks.note_dispute"]), "cc.E008"),
    # --- Filters ---
    "no filters": (b"OPEN_EDX_FILTERS_CONFIG:", "cc.E022"),
    "step for a pipeline": (one_filter(PRICE, {"fail_silently": False, "pipeline": STEP}), "cc.E022"),
    "step misspelt": (one_filter(PRICE, aloud(f"{STEP}s")), "cc.E015"),
    "receiver for a step": (one_filter(PRICE, aloud(PLACE_ORDER)), "cc.E016"),
    "base of all steps": (one_filter(PRICE, aloud("openedx_filters.PipelineStep")), "cc.E017"),
    "step twice": (one_filter(PRICE, aloud(STEP, STEP)), "cc.E018"),
    "filter misspelt": (one_filter(PRICE.replace("owed", "owned"), aloud()), "cc.E019"),
    "in silence": (one_filter(PRICE, {"pipeline": []}), "cc.E021"),
    # --- What the maps stand on ---
    "origin misspelt": (b"CC_SIGNAL_ORIGINS: [web, api, worker, command, webb]", "cc.E030"),
    "no way in": (b"CC_SIGNAL_ORIGINS: [api, worker, command]", "cc.E031"),
    "no way to the API": (b"CC_SIGNAL_ORIGINS: [web, api, worker]\nCC_API_URL: nowhere", "cc.E032"),
    # --- Settings, of which the maps know nothing ---
    "no setting": (b"CC_SIGNAL: {}", ""),
    "of the environment only": (b"CC_ROLE: web", ""),
    "text for a number": (b"CC_LEASE_SECONDS: ninety", ""),
    "nothing for a number": (b"CC_LEASE_SECONDS:", ""),
    "number for a list": (b"CC_CORS_ALLOWED_ORIGINS: 7", ""),
    "number for a text": (b"CELERY_BROKER_URL: 7", ""),
    "yes for a number": (b"CC_LEASE_SECONDS: yes", ""),
    "other apps": (b"INSTALLED_APPS: [a.b]", ""),
}


@pytest.mark.parametrize(("content", "number"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_file_has_its_own_mistake_and_no_other(file: Path, content: str | bytes, number: str) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = (present.CC_SIGNALS, present.OPEN_EDX_FILTERS_CONFIG, present.CC_LEASE_SECONDS)
    shown = Typed("routes", "--json", "--config", str(file))
    assert [each["id"] for each in shown.json["mistakes"]] == [number]
    assert (shown.json["starts"], shown.json["signals"], shown.json["filters"]) == (False, [], [])
    # For people: one line that tells the file, one for the mistake, one for the hint.
    told = Typed("routes", "--config", str(file)).failure.splitlines()
    assert told[0] == f"{file} has 1 mistake; nothing would start with it."
    assert told[1].startswith(f"{number}: " if number else (str(file), "CC_"))
    assert len(told) <= 3 and "COMMERCE_COORDINATOR_CFG: " not in told[1]
    assert before == (present.CC_SIGNALS, present.OPEN_EDX_FILTERS_CONFIG, present.CC_LEASE_SECONDS)


def test_every_mistake_of_a_file_is_tried() -> None:
    assert {number for _, number in BROKEN.values()} >= {f"cc.{number}" for number in FILE_MISTAKES}


def test_all_mistakes_are_told_at_once_each_with_a_hint(file: Path) -> None:
    file.write_text(one_signal(PAYPAL_CAPTURED, [PLACE_ORDER[:-1], PLACE_ORDER, PLACE_ORDER]))
    failure = Typed("routes", "--config", str(file)).failure
    assert "has 2 mistakes" in failure
    assert "cc.E001" in failure and "cc.E006" in failure and failure.count("HINT: ") == 2
    assert f"Did you mean {PLACE_ORDER}?" in failure


def test_lease_of_the_file_is_compared_with_the_time_limits(file: Path) -> None:
    file.write_text(f"CC_LEASE_SECONDS: {present.CELERY_TASK_TIME_LIMIT}")
    mistakes = Typed("routes", "--json", "--config", str(file)).json["mistakes"]
    assert [each["id"] for each in mistakes] == ["cc.E012"] * len(receivers.delivery_tasks())


def test_plugins_own_checks_see_the_file(file: Path, settings: Any) -> None:
    settings.CC_STOREFRONT_URL = "https://shop.example.com/"
    assert Typed("routes", "--config", str(file.with_name("none.yml"))).err == ""
    file.write_text("CC_STOREFRONT_URL: shop")
    shown = Typed("routes", "--config", str(file))
    assert shown.failure == ""
    assert "lms.W001: CC_STOREFRONT_URL is no http or https address" in shown.err


def test_misspelt_setting_is_told_with_the_one_that_was_meant(file: Path) -> None:
    file.write_text("CC_SIGNAL: {}\nCC_NOTHING_LIKE_IT: 1")
    assert "there is no setting CC_NOTHING_LIKE_IT, CC_SIGNAL (did you mean CC_SIGNALS?)." in (
        Typed("routes", "--config", str(file)).failure
    )


def test_file_that_is_not_there_is_named(file: Path) -> None:
    assert f"{file} cannot be read: No such file or directory." in Typed("routes", "--config", str(file)).failure
    assert f"{file.parent} cannot be read: Is a directory." in Typed("routes", "--config", str(file.parent)).failure


def test_name_that_is_empty_is_no_present_map() -> None:
    """A script's variable that was not set must not pass for a candidate that is right."""
    assert "A file without a name cannot be read" in Typed("routes", "--config", "").failure


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_standard_input_is_read_in_any_locale(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    def given(content: bytes) -> Typed:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding=encoding))
        return Typed("routes", "--config", "-")

    assert given("# für jeden\nCC_SIGNALS: {}".encode()).out == "The maps would stay as they are.\n"
    assert "cc.E033: The standard input is not valid YAML (its encoding is not UTF-8)." in given(b"A: \xff").failure


# --- What it would change ---


@pytest.mark.parametrize("content", ["", "# nothing\n", "CC_RETENTION_DAYS: 30\n", "\ufeffCC_SIGNALS: {}"])
def test_file_that_changes_nothing_says_so(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    shown = Typed("routes", "--config", str(file))
    assert (shown.failure, shown.out) == ("", "The maps would stay as they are.\n")


def changes(file: Path, content: str) -> list[str]:
    file.write_text(content)
    shown = Typed("routes", "--config", str(file))
    assert shown.failure == ""
    return shown.lines


def test_receiver_that_goes_is_told_with_all_that_no_longer_follows(file: Path) -> None:
    told = changes(file, one_signal(PAYPAL_CAPTURED, []))
    assert told[:2] == ["paypal.payment_captured", "  - fulfillment.place_order"]
    assert told[2].startswith("  paypal.payment_captured will no longer place order (")
    assert told[3] == "  Nobody will get it: each sending will wait as unrouted, in front of an operator."
    assert told[4].startswith("  Nor does this follow from it any more: ")
    assert "lms.enroll_learner" in told[4] and "fulfillment.place_order" not in told[4]
    assert told[5:] == ["1 of the map's entries would change."]


def test_receiver_that_comes_is_told_with_all_that_will_follow(file: Path) -> None:
    refunded = f"{PLUGINS}.stripe.signals.payment_refunded"
    present.CC_SIGNALS[refunded] = []
    told = changes(file, one_signal(refunded, routes.CC_SIGNALS[refunded]))
    assert told[:2] == ["stripe.payment_refunded", "  + fulfillment.take_back_order"]
    assert told[2].startswith("  stripe.payment_refunded will take back order (")
    assert told[3].startswith("  And this will follow from it: ") and "lms.unenroll_learner" in told[3]
    assert told[4] == "  It is felt by what leads to it: stripe.charge_refunded."


def test_receiver_that_is_replaced_is_told_as_going_and_coming(file: Path) -> None:
    held = f"{PLUGINS}.fulfillment.signals.order_held"
    told = changes(file, one_signal(held, [f"{__name__}.note_in_words"]))
    assert told[:3] == [
        "fulfillment.order_held",
        "  - notifications.tell_operator_of_held_order",
        "  + test_candidate.note_in_words",
    ]
    assert told[3].startswith("  fulfillment.order_held will no longer tell operator of held order (")
    assert told[4] == "  fulfillment.order_held will note in words (Write it down)."


def note_in_words(order_number: str) -> None:
    """Write it down. Slowly."""


def test_signal_that_others_lead_to_tells_which(file: Path) -> None:
    placed = f"{PLUGINS}.fulfillment.signals.order_placed"
    told = changes(file, one_signal(placed, [f"{PLUGINS}.notifications.tasks.send_order_confirmation"]))
    assert told[1] == "  - fulfillment.request_enrollments"
    felt = next(line for line in told if line.startswith("  It is felt by what leads to it: "))
    assert "paypal.payment_captured" in felt and "stripe.payment_captured" in felt
    assert "Nobody will get it" not in "".join(told)


def test_news_that_nobody_need_hear_do_not_wait(file: Path) -> None:
    enrolled = f"{PLUGINS}.lms.signals.lms_learner_enrolled"
    assert "Nobody will get it" not in "".join(changes(file, one_signal(enrolled, [])))


def test_order_of_receivers_is_no_change(file: Path) -> None:
    placed = f"{PLUGINS}.fulfillment.signals.order_placed"
    told = changes(file, one_signal(placed, routes.CC_SIGNALS[placed][::-1]))
    assert told == ["The maps would stay as they are."]


@pytest.mark.parametrize(
    ("name", "entry", "told"),
    [
        (
            DETAILS,
            aloud(*routes.OPEN_EDX_FILTERS_CONFIG[DETAILS]["pipeline"][::-1]),
            ["  asked in this order: ecommerce.LegacyOrderDetails, fulfillment.PaymentMetadata"],
        ),
        (PRICE, aloud(), ["  - ecommerce.LegacyOrderDetails", "  Nobody will answer it."]),
        (
            PRICE,
            aloud(f"{PLUGINS}.demo_lms.steps.StorefrontOrders", STEP),
            [
                "  + demo_lms.StorefrontOrders",
                "  asked in this order: demo_lms.StorefrontOrders, ecommerce.LegacyOrderDetails",
            ],
        ),
        (
            PRICE,
            aloud(f"{PLUGINS}.demo_lms.steps.StorefrontOrders"),
            ["  - ecommerce.LegacyOrderDetails", "  + demo_lms.StorefrontOrders"],
        ),
        (PRICE, aloud(STEP, discount="hunter2"), ["  Its steps will be given another discount."]),
    ],
)
def test_filter_that_changes_is_told_with_its_question(file: Path, name: str, entry: Any, told: list[str]) -> None:
    first, question, *rest = changes(file, one_filter(name, entry))
    assert (first, question[:3], question[-1]) == (name, '  "', '"')
    assert rest == [*told, "1 of the map's entries would change."]


def test_programs_get_the_same(file: Path) -> None:
    file.write_text(
        json.dumps({**json.loads(one_signal(PAYPAL_CAPTURED, [])), **json.loads(one_filter(PRICE, aloud()))})
    )
    shown = Typed("routes", "--json", "--config", str(file))
    found = shown.json
    assert (shown.failure, found["starts"], found["mistakes"]) == ("", True, [])
    (signal,), (price,) = found["signals"], found["filters"]
    assert (signal["signal"], signal["removed"], signal["waits"]) == (PAYPAL_CAPTURED, [PLACE_ORDER], True)
    assert (price["filter"], price["removed"], price["order"]) == (PRICE, [STEP], [])
    people = Typed("routes", "--config", str(file)).lines
    assert people == [*signal["words"], *price["words"], "2 of the map's entries would change."]
