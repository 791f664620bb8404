"""A wrong map does not start: each mistake has a number, names the culprit and says what would be right."""

import importlib
import re

import pytest
from celery import current_app
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.dispatch import Signal
from django.test import override_settings

from commerce_coordinator.core.deliveries import receivers
from commerce_coordinator.core.deliveries.tasks import CANARY_TASK
from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.inbox.webhooks import WebhookView
from commerce_coordinator.core.signals import mistakes, registry, routes
from commerce_coordinator.core.signals.checks import check_doubts, check_map, enforce
from commerce_coordinator.core.signals.guessing import did_you_mean
from commerce_coordinator.core.testing import routes_as
from commerce_coordinator.payloads.base import Payload

from .plugin_of_a_test import shipped_signals_only


class SeatSold(Payload):
    order: str
    row: int = 1


def _nothing(**kwargs):
    pass


#: (id, culprit, function that spoils a map). All but the last kind may spoil the same map.
ROWS = []


def row(number, culprit):
    def decorate(spoil):
        ROWS.append(pytest.param(number, culprit, spoil, id=f"{number} {spoil.__name__}"))
        return spoil

    return decorate


@row("E001", "no_such_shop.signals.seat_sold")
def signal_of_no_module(shop):
    shop.map["no_such_shop.signals.seat_sold"] = []


@row("E001", "test_shop.seat_given")
def signal_that_its_module_lacks(shop):
    shop.map["test_shop.seat_given"] = []


@row("E001", "seat_sold")
def signal_without_a_dotted_path(shop):
    shop.map["seat_sold"] = []


@row("E001", "test_shop.print_tickt")
def receiver_misspelt(shop):
    shop.signal("seat_1", SeatSold)
    shop.map["test_shop.seat_1"] = ["test_shop.print_tickt"]


@row("E001", "test_shop_unfinished.print_ticket does not resolve: importing it raised ZeroDivisionError")
def receiver_whose_module_fails(shop):
    (shop.folder / "test_shop_unfinished.py").write_text("1 / 0")
    importlib.invalidate_caches()
    shop.signal("seat_2", SeatSold)
    shop.map["test_shop.seat_2"] = ["test_shop_unfinished.print_ticket"]


@row("E002", "test_shop.nothing")
def function_where_a_signal_belongs(shop):
    shop.keep("nothing", _nothing)
    shop.map["test_shop.nothing"] = []


@row("E002", "test_shop.djangos_own")
def signal_of_djangos_own(shop):
    shop.keep("djangos_own", Signal())
    shop.map["test_shop.djangos_own"] = []


@row("E003", "test_shop.seat_forgotten")
def signal_left_out(shop):
    shop.signal("seat_forgotten", SeatSold)
    del shop.map["test_shop.seat_forgotten"]


@row("E004", "test_shop.ticket")
def receiver_that_is_a_text(shop):
    shop.keep("ticket", "Admit one.")
    shop.signal("seat_3", SeatSold)
    shop.map["test_shop.seat_3"] = ["test_shop.ticket"]


@row("E004", "test_shop.seat_4")
def signal_where_a_receiver_belongs(shop):
    shop.signal("seat_4", SeatSold)
    shop.map["test_shop.seat_4"] = ["test_shop.seat_4"]


@row("E005", f"test_shop.seat_5 has a receiver that the map does not know: {__name__}._nothing")
def receiver_connected_round_us(shop):
    Signal.connect(shop.signal("seat_5", SeatSold), _nothing)


@row("E005", f"{__name__}._nothing")
def receiver_connected_round_us_for_ever(shop):
    Signal.connect(shop.signal("seat_6", SeatSold), _nothing, weak=False)


@row("E006", "test_shop.listed_twice")
def receiver_listed_twice(shop):
    shop.keep("listed_twice", _nothing)
    shop.signal("seat_7", SeatSold)
    shop.map["test_shop.seat_7"] = ["test_shop.listed_twice"] * 3


@row("E006", "test_shop.present_name")
def delivery_task_listed_by_its_former_name_too(shop):
    @shop.task(aliases=["test_shop.former_name"])
    def present_name(order):
        pass

    shop.keep("former_name", present_name)
    shop.signal("seat_70", SeatSold)
    shop.map["test_shop.seat_70"] = ["test_shop.present_name", "test_shop.former_name"]


class SeatSoldBySomebody(Payload):
    sender: str


@row("E014", "test_shop.seat_71 has a contract with the field sender")
def contract_with_a_name_that_is_taken(shop):
    shop.signal("seat_71", SeatSoldBySomebody)
    shop.map["test_shop.seat_71"] = []


@row("E007", CANARY_TASK)
def celery_task_of_another_kind(shop):
    shop.signal("seat_8", SeatSold)
    shop.map["test_shop.seat_8"] = [CANARY_TASK]


@row("E008", "test_shop.ask_too_much requires price, seller, which test_shop.seat_9 does not carry")
def inline_receiver_that_asks_too_much(shop):
    @shop.receiver
    def ask_too_much(sender, signal, order, price, *, seller, buyer=None):
        pass

    shop.signal("seat_9", SeatSold)
    shop.map["test_shop.seat_9"] = ["test_shop.ask_too_much"]


@row("E008", "test_shop.task_asks_too_much requires sender, which test_shop.seat_10 does not carry")
def delivery_task_that_asks_for_the_sender(shop):
    @shop.task
    def task_asks_too_much(sender, order):
        pass

    shop.signal("seat_10", SeatSold)
    shop.map["test_shop.seat_10"] = ["test_shop.task_asks_too_much"]


@row("E009", "test_shop.seat_11")
def text_instead_of_a_list(shop):
    shop.signal("seat_11", SeatSold)
    shop.map["test_shop.seat_11"] = "test_shop.nothing"


@row("E009", "test_shop.seat_12")
def nothing_instead_of_an_empty_list(shop):
    shop.signal("seat_12", SeatSold)
    shop.map["test_shop.seat_12"] = None


@row("E009", "test_shop.seat_13")
def function_instead_of_its_path(shop):
    shop.signal("seat_13", SeatSold)
    shop.map["test_shop.seat_13"] = [_nothing]


@row("E009", "test_shop.seat_72")
def list_that_holds_itself(shop):
    """YAML can say that."""
    shop.signal("seat_72", SeatSold)
    paths = shop.map["test_shop.seat_72"] = []
    paths.append(paths)


@row("E010", "test_shop.seat_14 takes 'buyer' from the payload")
def subject_that_the_contract_lacks(shop):
    shop.signal("seat_14", SeatSold, subject="buyer")


@row("E010", "test_shop.seat_15 takes 'buyer' from the payload")
def key_field_that_the_contract_lacks(shop):
    # Named three times, told once.
    shop.signal("seat_15", SeatSold, subject="order", person="buyer", unique_by=["buyer", "order", "buyer"])


@row("E011", "test_shop.send_on declares to send test_shop.seat_misspelt")
def declared_signal_misspelt(shop):
    @shop.task(sends=["test_shop.seat_misspelt"])
    def send_on(order):
        pass


@row("E012", "test_shop.take_long may run for 90 s, but its lease ends after 90 s")
def task_that_may_outlive_its_lease(shop):
    @shop.task(time_limit=90)
    def take_long(order):
        pass


@row("E013", "test_shop.seat_17 is test_shop.seat_16 by another path")
def signal_named_by_the_module_that_imports_it(shop):
    """Its routes would be lost: they are read under its own path, which is there too."""
    shop.keep("seat_17", shop.signal("seat_16", SeatSold))
    shop.map["test_shop.seat_17"] = ["test_shop._nothing"]


@row("E025", "test_shop.count_rows does not fit test_shop.seat_18: it takes row: str, where the contract carries int")
def inline_receiver_that_takes_another_type(shop):
    @shop.receiver
    def count_rows(order: str, row: str):
        pass

    shop.signal("seat_18", SeatSold)
    shop.map["test_shop.seat_18"] = ["test_shop.count_rows"]


class SeatSoldLater(Payload):
    order: str | None
    rows: tuple[int, ...] = ()


@row("E025", "order: str, where the contract carries str | None; rows: list[int], where")
def delivery_task_that_forgets_that_there_may_be_none(shop):
    @shop.task
    def print_rows(order: str, rows: list[int]):
        pass

    shop.signal("seat_19", SeatSoldLater)
    shop.map["test_shop.seat_19"] = ["test_shop.print_rows"]


class Curtain:
    pass


class SeatSoldBehind(Payload):
    model_config = {"arbitrary_types_allowed": True}
    curtain: Curtain


@row("E026", "test_shop.seat_20 has a contract that cannot be JSON")
def contract_with_an_object_of_python(shop):
    shop.signal("seat_20", SeatSoldBehind)


@row("E027", "test_shop.seat_21 -> test_shop.seat_22 -> test_shop.seat_21")
def two_signals_that_send_each_other(shop):
    @shop.task(sends=["test_shop.seat_22"])
    def move_back(order):
        pass

    @shop.task(sends=["test_shop.seat_21"])
    def move_forth(order):
        pass

    shop.signal("seat_21", SeatSold)
    shop.signal("seat_22", SeatSold)
    shop.map["test_shop.seat_21"] = ["test_shop.move_back"]
    shop.map["test_shop.seat_22"] = ["test_shop.move_forth"]


@pytest.fixture(name="shop")
def shop_with_a_folder(shop, tmp_path, monkeypatch, settings):
    """Spoilt maps start from one that is right."""
    shop.folder = tmp_path
    monkeypatch.syspath_prepend(tmp_path)
    settings.CC_LEASE_SECONDS, settings.CELERY_TASK_TIME_LIMIT = 90, 60
    shop.receiver(_copy_of(_nothing))
    shop.signal("seat_sold", SeatSold, subject="order", unique_by=["order"])
    shop.map["test_shop.seat_sold"] = ["test_shop._nothing"]
    assert mistakes_of(shop) == []
    return shop


def _copy_of(function):
    def copy(**kwargs):
        return function(**kwargs)

    copy.__name__ = function.__name__
    return copy


def mistakes_of(shop):
    with override_settings(CC_SIGNALS=shop.whole_map):
        return check_map()


@pytest.mark.parametrize(("number", "culprit", "spoil"), ROWS)
def test_each_mistake_is_named_by_its_number_its_culprit_and_a_hint(shop, number, culprit, spoil):
    spoil(shop)
    (mistake,) = mistakes_of(shop)
    assert mistake.id == f"cc.{number}"
    assert culprit in mistake.msg
    assert len(mistake.hint) > 10 and mistake.hint.endswith((".", "?"))
    assert mistake.is_serious()


@pytest.mark.parametrize("wrong", [["test_shop.seat_sold"], [], "test_shop.seat_sold", None, 7])
def test_a_map_that_is_no_mapping_is_a_mistake(shop, settings, wrong):
    settings.CC_SIGNALS = wrong
    # That every signal is missing from it goes without saying.
    assert [(mistake.id, mistake.msg) for mistake in check_map()] == [("cc.E009", "CC_SIGNALS is no mapping.")]


def test_every_number_is_tried_by_some_row():
    assert {parameters.values[0] for parameters in ROWS} == set(mistakes.SIGNAL_MISTAKES)


def test_no_mistake_has_a_number_that_nobody_knows():
    with pytest.raises(ValueError, match="E999"):
        mistakes.mistake("E999", "x", "is wrong", "Mend it.")


def test_enforce_tells_all_mistakes_at_once(shop, settings):
    for parameters in ROWS:
        parameters.values[2](shop)
    settings.CC_SIGNALS = shop.whole_map
    with pytest.raises(WrongMap) as wrong:
        enforce()
    text = str(wrong.value)
    assert f"has {len(ROWS)} mistakes" in text
    assert len(wrong.value.mistakes) == len(ROWS) == text.count("HINT: ")
    for number, culprit, _ in (parameters.values for parameters in ROWS):
        assert re.search(rf"^cc\.{number}: .*{re.escape(culprit)}", text, re.MULTILINE)


def test_a_signal_that_does_not_resolve_hides_no_mistake_of_its_receivers(shop):
    shop.map["test_shop.seat_given"] = ["test_shop.print_tickt", "test_shop._nothing", "test_shop._nothing"]
    found = mistakes_of(shop)
    assert [mistake.id for mistake in found] == ["cc.E001", "cc.E001", "cc.E006"]


def test_a_right_map_is_enforced_in_silence(shop, settings):
    settings.CC_SIGNALS = shop.whole_map
    assert enforce() is None


def test_the_shipped_map_has_no_mistakes_and_no_doubts():
    with shipped_signals_only():
        assert (check_map(), check_doubts()) == ([], [])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("test_shop.print_tickt", "test_shop.print_ticket"),
        ("test_shop.tasks.count_seats", "test_shop.tasks.count_seat"),
        ("test_shop.nothing_like_it", None),
    ],
)
def test_hint_names_the_receiver_that_was_meant(shop, written, meant):
    shop.keep("print_ticket", _copy_of(_nothing))
    receivers.register(receivers.TaskReceiver(path="test_shop.tasks.count_seat", function=_nothing))
    shop.map["test_shop.seat_sold"] = [written]
    (mistake,) = mistakes_of(shop)
    assert mistake.id == "cc.E001"
    assert mistake.hint.partition(" Did you mean ")[2] == (f"{meant}?" if meant else "")


@pytest.mark.parametrize(
    ("number", "written"),
    [("E001", "test_shop.seat_solt"), ("E002", "test_shop.seat_sold_"), ("E001", "test_shp.seat_sold")],
)
def test_hint_names_the_signal_that_was_meant(shop, number, written):
    shop.keep("seat_sold_", _nothing)
    shop.map[written] = []
    (mistake,) = mistakes_of(shop)
    assert (mistake.id, "Did you mean test_shop.seat_sold?" in mistake.hint) == (f"cc.{number}", True)


def test_long_path_in_common_makes_no_name_near():
    """Of two paths that begin alike, most of the letters agree."""
    known = ["shop.plugins.fulfillment.tasks.note_dispute", "shop.plugins.fulfillment.tasks.place_order"]
    assert did_you_mean("shop.plugins.fulfillment.tasks.note_xyz", known) == ""
    assert did_you_mean("shop.plugins.fulfilment.tasks.place_ordr", known) == f" Did you mean {known[1]}?"


def test_hint_names_no_class_and_no_signal_where_a_receiver_belongs(shop):
    shop.keep("print_tickets", type("print_tickets", (), {}))
    shop.signal("print_ticked", SeatSold)
    shop.map["test_shop.seat_sold"] = ["test_shop.print_ticket"]
    (mistake,) = mistakes_of(shop)
    assert "Did you mean" not in mistake.hint


@pytest.mark.parametrize(
    ("spoil", "meant"),
    [
        (declared_signal_misspelt, "test_shop.seat_misspell"),
        (key_field_that_the_contract_lacks, "buyers"),
        (inline_receiver_that_asks_too_much, "prices"),
    ],
)
def test_hint_names_the_signal_or_field_that_was_meant(shop, monkeypatch, spoil, meant):
    class SeatSoldTo(Payload):
        order: str
        buyers: str = ""
        prices: int = 0

    monkeypatch.setattr(f"{__name__}.SeatSold", SeatSoldTo)
    shop.signal("seat_misspell", SeatSoldTo)
    spoil(shop)
    (mistake,) = mistakes_of(shop)
    assert mistake.hint.endswith(f" Did you mean {meant}?")


def test_circle_that_is_told_is_told_once_however_many_enter_it(shop):
    two_signals_that_send_each_other(shop)

    @shop.task(sends=["test_shop.seat_21", "test_shop.seat_22", "test_shop.seat_23"])
    def begin(order):
        pass

    shop.signal("seat_23", SeatSold)
    shop.map["test_shop.seat_23"] = ["test_shop.begin"]
    assert sorted(mistake.msg.split()[0] for mistake in mistakes_of(shop)) == ["test_shop.seat_21", "test_shop.seat_23"]


# --- Doubts ---


def doubts_of(shop):
    with override_settings(CC_SIGNALS=shop.whole_map):
        return [each for each in check_doubts() if not each.msg.startswith("test_shop.seat_sold ")]


def test_signal_that_nobody_is_known_to_send_is_doubtful_and_starts(shop):
    shop.signal("seat_30", SeatSold)
    (doubt,) = doubts_of(shop)
    assert (doubt.id, doubt.msg) == ("cc.W002", "test_shop.seat_30 is sent by nobody who says so.")
    assert doubt.hint
    assert mistakes_of(shop) == []


def test_sending_may_be_declared_by_a_task_by_a_webhook_or_in_words(shop):
    @shop.task(sends=["test_shop.seat_31"])
    def sell(order):
        pass

    shop.signal("seat_31", SeatSold)
    registry.remember_sender(shop.signal("seat_32", SeatSold), "test_shop.webhooks.Till")
    shop.signal("seat_33", SeatSold, sent_by="the box office")
    assert doubts_of(shop) == []


def test_type_that_cannot_be_looked_up_is_doubtful_and_starts(shop):
    @shop.receiver
    def look_up(order: "ForTypeCheckersOnly"):  # noqa: F821
        pass

    shop.signal("seat_34", SeatSold, sent_by="the box office")
    shop.map["test_shop.seat_34"] = ["test_shop.look_up"]
    (doubt,) = doubts_of(shop)
    assert (doubt.id, "test_shop.look_up may not fit test_shop.seat_34" in doubt.msg) == ("cc.W001", True)
    assert mistakes_of(shop) == []


def test_soft_time_limit_behind_the_hard_one_is_doubtful_and_starts(shop):
    """The hard limit kills the process; the soft one, which would have let the receiver say why, never comes."""

    @shop.task(time_limit=40, soft_time_limit=40)
    def end_hard(order):
        pass

    @shop.task(time_limit=40, soft_time_limit=39)
    def end_softly(order):
        pass

    (doubt,) = doubts_of(shop)
    assert doubt.id == "cc.W003"
    assert doubt.msg == "test_shop.end_hard is killed after 40 s, before its soft time limit of 40 s."
    assert mistakes_of(shop) == []


def test_a_candidate_that_these_settings_do_not_read_is_no_silent_success(shop, monkeypatch, settings):
    monkeypatch.setenv("COMMERCE_COORDINATOR_CFG", "candidate.yml")
    (doubt,) = doubts_of(shop)
    assert doubt.id == "cc.W004"
    assert "settings.production" in doubt.hint
    settings.READS_OPERATOR_FILE = True
    assert doubts_of(shop) == []


def test_webhook_declares_what_its_table_names(shop):
    shop.signal("seat_35", SeatSold)
    assert [doubt.id for doubt in doubts_of(shop)] == ["cc.W002"]

    class Till(WebhookView):
        signals = {"sold": (shop.module.seat_35, lambda event, account: {}), "given": []}

    assert doubts_of(shop) == []
    assert registry.senders_of("test_shop.seat_35") == [f"{__name__}.{Till.__qualname__}"]


def test_no_doubt_has_a_number_that_nobody_knows():
    with pytest.raises(ValueError, match="W999"):
        mistakes.doubt("W999", "x", "may be wrong", "See.")


def test_djangos_check_shows_the_same_list(shop, settings):
    receiver_misspelt(shop)
    settings.CC_SIGNALS = shop.whole_map
    assert [mistake for mistake in run_checks() if mistake.id.startswith("cc.E")] == check_map()


def test_mistakes_cannot_be_silenced(shop, settings):
    receiver_misspelt(shop)
    settings.CC_SIGNALS = shop.whole_map
    settings.SILENCED_SYSTEM_CHECKS = [f"cc.{number}" for number in mistakes.IDS]
    with pytest.raises(CommandError, match=r"cc\.E001.*test_shop\.print_tickt"):
        call_command("check")


# --- What resolves ---


def test_what_resolves_is_connected_though_something_else_does_not(shop):
    shop.map["test_shop.seat_sold"] = ["test_shop.gone", "test_shop._nothing"]
    routes.connect(routes.read(shop.whole_map))
    assert [route.receiver for route in shop.module.seat_sold.routes] == ["test_shop._nothing"]


def test_a_receiver_listed_twice_is_connected_once(shop):
    shop.map["test_shop.seat_sold"] = ["test_shop._nothing"] * 2
    assert len(routes.read(shop.whole_map).routes["test_shop.seat_sold"]) == 1


def test_optional_and_catch_all_parameters_need_no_field(shop):
    @shop.receiver
    def ask_nicely(order, *args, buyer=None, **kwargs):
        pass

    shop.map["test_shop.seat_sold"] = ["test_shop.ask_nicely"]
    assert routes.read(shop.whole_map).mistakes == []


def test_a_built_in_without_a_signature_is_taken_on_trust(shop):
    shop.keep("built_in", dict)
    shop.map["test_shop.seat_sold"] = ["test_shop.built_in"]
    assert routes.read(shop.whole_map).mistakes == []


def test_a_delivery_task_is_found_under_its_former_path(shop):
    @shop.task(aliases=["test_shop.print_old_ticket"])
    def print_ticket(order):
        pass

    shop.keep("print_old_ticket", shop.module.print_ticket)
    shop.map["test_shop.seat_sold"] = ["test_shop.print_old_ticket"]
    signal_map = routes.read(shop.whole_map)
    assert signal_map.mistakes == []
    (route,) = signal_map.routes["test_shop.seat_sold"]
    assert (route.receiver, route.kind) == ("test_shop.print_old_ticket", "task")
    current_app.tasks.pop("test_shop.print_old_ticket", None)


def test_the_maps_hash_tells_maps_apart_and_nothing_else(shop):
    whole_map = shop.whole_map
    again = dict(reversed(whole_map.items()))
    other = {**whole_map, "test_shop.seat_sold": []}
    assert routes.read(whole_map).hash == routes.read(again).hash != routes.read(other).hash
    assert len(routes.read(whole_map).hash) == 16


def test_routes_as_refuses_a_wrong_map_as_a_start_would(shop):
    with (
        pytest.raises(WrongMap, match="print_tickt"),
        routes_as({**shop.map, "test_shop.seat_sold": ["a.print_tickt"]}),
    ):
        raise AssertionError("The map is wrong.")
