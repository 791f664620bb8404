"""A wrong filter does not start: each mistake has a number, names the culprit and says what would be right."""

import importlib
import re
import sys

import pytest
from django.core.management import CommandError, call_command
from openedx_filters import PipelineStep
from openedx_filters.tooling import OpenEdxPublicFilter

from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.filters import CoordinatorFilter
from commerce_coordinator.core.signals import mistakes, registry
from commerce_coordinator.core.signals.checks import check_map, enforce
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test, shipped_signals_only
from commerce_coordinator.core.testing import filters_as

from .filters_of_a_test import MODULE, a_filter, a_step, aloud, type_of

PRICE = type_of("price")

#: (id, culprit, function that spoils a configuration). All of them may spoil the same one.
ROWS = []


def row(number, culprit):
    def decorate(spoil):
        ROWS.append(pytest.param(number, culprit, spoil, id=f"{number} {spoil.__name__}"))
        return spoil

    return decorate


def answered(shop, subject, *paths, **extra):
    """A filter of this subject, answered by these steps."""
    shop.filters[a_filter(subject).filter_type] = aloud(*paths, **extra)


@row("E015", "test_shop.Misspelt of " + type_of("f1"))
def step_misspelt(shop):
    answered(shop, "f1", "test_shop.Misspelt")


@row("E015", "Nowhere of")
def step_without_a_dotted_path(shop):
    answered(shop, "f2", "Nowhere")


@row("E015", "test_shop_unread.Step of " + type_of("f3") + " does not resolve: importing it raised ZeroDivisionError")
def step_whose_module_fails(shop):
    (shop.folder / "test_shop_unread.py").write_text("1 / 0")
    importlib.invalidate_caches()
    answered(shop, "f3", "test_shop_unread.Step")


@row("E016", "test_shop.plain_function of " + type_of("f4"))
def function_as_a_step(shop):
    shop.keep("plain_function", lambda **asked: {})
    answered(shop, "f4", "test_shop.plain_function")


@row("E016", "test_shop.plain_class of")
def class_of_another_kind_as_a_step(shop):
    shop.keep("plain_class", type("plain_class", (), {"run_filter": lambda self, **asked: {}}))
    answered(shop, "f5", "test_shop.plain_class")


@row("E016", "test_shop.a_filter of")
def filter_as_a_step(shop):
    shop.keep("a_filter", type("a_filter", (OpenEdxPublicFilter,), {}))
    answered(shop, "f6", "test_shop.a_filter")


@row("E017", "test_shop.idle has no run_filter of its own")
def step_without_run_filter(shop):
    shop.keep("idle", type("idle", (PipelineStep,), {}))
    answered(shop, "f7", "test_shop.idle")


@row("E017", "openedx_filters.PipelineStep has no run_filter of its own")
def base_of_all_steps_as_a_step(shop):
    answered(shop, "f8", "openedx_filters.PipelineStep")


@row("E017", "test_shop.text has no run_filter of its own")
def step_whose_run_filter_cannot_be_called(shop):
    shop.keep("text", type("text", (PipelineStep,), {"run_filter": "text"}))
    answered(shop, "f9", "test_shop.text")


@row("E017", "test_shop.later has a run_filter that answers later")
def step_that_is_a_coroutine(shop):
    async def later(self, **asked):
        return {}

    answered(shop, "f10", a_step(shop, later))


@row("E018", "test_shop.price_list is listed twice for " + type_of("f11"))
def step_listed_twice(shop):
    answered(shop, "f11", *["test_shop.price_list"] * 3)


@row("E018", "test_shop.price_list is listed twice for " + type_of("f12"))
def step_listed_by_another_path_too(shop):
    shop.keep("another_name", shop.module.price_list)
    answered(shop, "f12", "test_shop.price_list", "test_shop.another_name")


@row("E019", "org.edx.coordinator.fulfilment.details.requested.v1")
def pipeline_of_a_filter_that_nobody_defines(shop):
    shop.filters["org.edx.coordinator.fulfilment.details.requested.v1"] = aloud()


@row("E019", "org.openedx.learning.course.enrollment.started.v1")
def pipeline_of_somebody_elses_filter(shop):
    shop.filters["org.openedx.learning.course.enrollment.started.v1"] = aloud()


@row("E020", type_of("f13"))
def filter_without_a_pipeline(shop):
    a_filter("f13")


@row("E021", type_of("f14"))
def fail_silently_left_out(shop):
    shop.filters[a_filter("f14").filter_type] = {"pipeline": []}


@row("E021", type_of("f15"))
def fail_silently(shop):
    answered(shop, "f15", fail_silently=True)


@row("E021", type_of("f16"))
def fail_silently_as_a_number(shop):
    answered(shop, "f16", fail_silently=0)


@row("E022", type_of("f17") + " is not mapped to a mapping")
def list_instead_of_a_mapping(shop):
    shop.filters[a_filter("f17").filter_type] = ["test_shop.price_list"]


@row("E022", type_of("f18") + " has no list of steps' paths")
def no_pipeline(shop):
    shop.filters[a_filter("f18").filter_type] = {"fail_silently": False}


@row("E022", type_of("f19"))
def text_instead_of_a_list(shop):
    answered(shop, "f19", pipeline="test_shop.price_list")


@row("E022", type_of("f20"))
def class_instead_of_its_path(shop):
    answered(shop, "f20", shop.module.price_list)


@row("E022", type_of("f21") + " has a key that no step can be given")
def key_that_is_taken(shop):
    answered(shop, "f21", running_pipeline=[])


@row("E022", type_of("f22") + " has a key that no step can be given")
def key_that_is_no_text(shop):
    shop.filters[a_filter("f22").filter_type] = {**aloud(), 7: "seven"}


def _badly_named(number, filter_type):
    def badly_named(shop):
        a_filter(f"b{number}", filter_type=filter_type)
        shop.filters[filter_type] = aloud()

    row("E023", f"{MODULE}.b{number} has the type '{filter_type}'")(badly_named)


for number, wrong in enumerate(
    [
        "org.openedx.signals.price.requested.v1",
        "org.edx.coordinator.signals.price.v1",
        "org.edx.coordinator.signals.price.list.requested.v1",
        "org.edx.coordinator.signals.price.requested",
        "org.edx.coordinator.signals.price.requested.v0",
        "org.edx.coordinator.signals.Price.requested.v1",
        "org.edx.coordinator.signals.price.requested.v1\n",
    ]
):
    _badly_named(number, wrong.replace("\n", ".x"))


@row("E023", "which names another app than its own, signals")
def filter_of_one_app_named_after_another(shop):
    shop.filters[a_filter("f23", filter_type=type_of("f23", app="stripe")).filter_type] = aloud()


@row("E023", "test_shop.f24 defines " + type_of("f24") + ", but is in no installed app")
def filter_outside_of_all_apps(shop):
    shop.filters[a_filter("f24", module="test_shop").filter_type] = aloud()


@row("E024", f"{MODULE}.f25 and {MODULE}.f26 have one type, {type_of('f25')}")
def two_filters_of_one_type(shop):
    answered(shop, "f25")
    a_filter("f26", filter_type=type_of("f25"))


@pytest.fixture
def shop(tmp_path, monkeypatch, settings):
    """Spoilt configurations start from one that is right."""
    with plugin_of_a_test() as shop:
        shop.folder = tmp_path
        monkeypatch.syspath_prepend(tmp_path)

        def price_list(self, **asked):
            return {"price": 5}

        shop.filters = dict(settings.OPEN_EDX_FILTERS_CONFIG)
        answered(shop, "price", a_step(shop, price_list))
        settings.OPEN_EDX_FILTERS_CONFIG = shop.filters
        assert check_map() == []
        yield shop


@pytest.mark.parametrize(("number", "culprit", "spoil"), ROWS)
def test_each_mistake_is_named_by_its_number_its_culprit_and_a_hint(shop, number, culprit, spoil):
    spoil(shop)
    (mistake,) = check_map()
    assert mistake.id == f"cc.{number}"
    assert culprit in mistake.msg
    assert len(mistake.hint) > 10 and mistake.hint.endswith((".", "?"))
    assert mistake.is_serious()


def test_every_number_is_tried_by_some_row():
    assert {parameters.values[0] for parameters in ROWS} == set(mistakes.FILTER_MISTAKES)


def test_enforce_tells_all_mistakes_at_once_and_those_of_signals_too(shop, settings):
    for parameters in ROWS:
        parameters.values[2](shop)
    settings.CC_SIGNALS = {**settings.CC_SIGNALS, "test_shop.seat_given": []}
    with pytest.raises(WrongMap) as wrong:
        enforce()
    assert len(wrong.value.mistakes) == len(ROWS) + 1
    for number, culprit, _ in (parameters.values for parameters in ROWS):
        assert re.search(rf"^cc\.{number}: .*{re.escape(culprit)}", str(wrong.value), re.MULTILINE)


def test_hint_names_the_step_and_the_filter_that_were_meant(shop):
    answered(shop, "f11", "test_shop.price_lst")
    shop.filters[PRICE.replace("price", "prize")] = shop.filters.pop(PRICE)
    hints = {mistake.id: mistake.hint for mistake in check_map()}
    assert hints["cc.E015"].endswith(" Did you mean test_shop.price_list?")
    assert hints["cc.E019"].endswith(f" Did you mean {PRICE}?")


def test_mistakes_of_one_filter_hide_no_others(shop):
    given = ["test_shop.gone", "test_shop.gone", "test_shop.price_list"]
    shop.filters["org.edx.coordinator.nobody.price.requested.v1"] = {"pipeline": given}
    assert sorted(mistake.id for mistake in check_map()) == ["cc.E015", "cc.E018", "cc.E019", "cc.E021"]


@pytest.mark.parametrize("wrong", [[], "text", 7, None])
def test_a_configuration_that_is_no_mapping_is_a_mistake(shop, settings, wrong):
    settings.OPEN_EDX_FILTERS_CONFIG = wrong
    # That every filter is without a pipeline goes without saying.
    assert [(mistake.id, mistake.msg) for mistake in check_map()] == [
        ("cc.E022", "OPEN_EDX_FILTERS_CONFIG is no mapping.")
    ]


def test_an_empty_pipeline_is_no_mistake(shop):
    answered(shop, "nobody_knows")
    assert check_map() == []


def test_a_tuple_of_paths_and_further_keys_are_no_mistake(shop):
    shop.filters[PRICE] = {"fail_silently": False, "pipeline": ("test_shop.price_list",), "discount": 0.5}
    assert check_map() == []


def test_a_module_that_is_read_again_defines_its_filter_once(shop):
    answered(shop, "again")
    a_filter("again")
    assert check_map() == []


def test_mistakes_cannot_be_silenced(shop, settings):
    step_misspelt(shop)
    settings.SILENCED_SYSTEM_CHECKS = [f"cc.{number}" for number in mistakes.IDS]
    with pytest.raises(CommandError, match=r"cc\.E015.*test_shop\.Misspelt"):
        call_command("check")


def test_the_shipped_filters_have_no_mistakes():
    with shipped_signals_only():
        assert check_map() == []


def test_the_filters_of_every_installed_app_are_read_at_start(tmp_path, monkeypatch, settings):
    """Or a filter without a pipeline would be found by whom it was asked first."""
    package = tmp_path / "shop_of_filters"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "filters.py").write_text(
        "from commerce_coordinator.core.filters import CoordinatorFilter\n"
        "class SeatRequested(CoordinatorFilter):\n"
        "    filter_type = 'org.edx.coordinator.shop_of_filters.seat.requested.v1'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with shipped_signals_only():
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "shop_of_filters"]
        registry.load()
        (mistake,) = check_map()
    for name in ("shop_of_filters", "shop_of_filters.filters"):
        sys.modules.pop(name)
    assert mistake.id == "cc.E020"
    assert mistake.msg.startswith("org.edx.coordinator.shop_of_filters.seat.requested.v1 ")


# --- filters_as ---


class PriceOfATest(PipelineStep):
    def run_filter(self, **asked):
        return {"price": 7}


def price_requested() -> type[CoordinatorFilter]:
    from commerce_coordinator.core import filters

    return filters.defined[PRICE]


def test_filters_as_answers_otherwise_for_a_while_by_path_or_class(shop):
    asked = price_requested()
    assert asked.ask()["price"] == 5
    with filters_as({PRICE: [PriceOfATest]}):
        assert asked.ask()["price"] == 7
        with filters_as({PRICE: []}):
            assert asked.ask() == {}
        assert asked.ask()["price"] == 7
        with filters_as({PRICE: [f"{__name__}.PriceOfATest", "test_shop.price_list"]}):
            assert asked.ask()["price"] == 5
    assert asked.ask()["price"] == 5


def test_filters_as_steps_back_when_the_test_fails(shop):
    with pytest.raises(ZeroDivisionError), filters_as({PRICE: []}):
        raise ZeroDivisionError
    assert price_requested().ask()["price"] == 5


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({PRICE: ["test_shop.gone"]}, "cc.E015: test_shop.gone"),
        ({PRICE: [object]}, "cc.E016: builtins.object"),
        ({PRICE: [PipelineStep]}, "cc.E017"),
        ({PRICE: [PriceOfATest, PriceOfATest]}, "cc.E018"),
        ({PRICE: [PriceOfATest], type_of("nobody"): []}, "cc.E019: " + type_of("nobody")),
        ({PRICE: "test_shop.price_list"}, "cc.E022"),
        ({PRICE: [7]}, "cc.E022"),
    ],
)
def test_filters_as_refuses_what_a_start_refuses_and_changes_nothing(shop, changes, told):
    with pytest.raises(WrongMap) as refused, filters_as(changes):
        raise AssertionError("The configuration is wrong.")
    assert told in str(refused.value)
    assert price_requested().ask()["price"] == 5
