"""Attributes have the names that OpenTelemetry's semantic conventions give them."""

import pkgutil
from importlib import import_module

import pytest
from opentelemetry.semconv import _incubating, attributes

from commerce_coordinator.core.telemetry import attributes as ours


def _conventions():
    for package in (attributes, _incubating.attributes):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield from (value for value in vars(import_module(module.name)).values() if isinstance(value, str))


THEIRS = {
    name: value
    for name, value in vars(ours).items()
    if name.isupper() and isinstance(value, str) and not value.startswith(ours.OURS) and name != "OTHER_METHOD"
}
OURS = [value for name, value in vars(ours).items() if name.isupper() and str(value).startswith(ours.OURS)]


@pytest.mark.parametrize("name", THEIRS.values())
def test_name_is_one_of_the_conventions(name):
    assert name in set(_conventions())


def test_no_attribute_of_ours_is_anothers_beginning():
    assert len(OURS) > 10
    assert not [(one, other) for one in OURS for other in OURS if one != ours.OURS and other.startswith(f"{one}.")]


def test_a_method_that_a_caller_makes_up_is_not_told():
    assert [ours.method(each) for each in ("GET", "get", "ADA", None)] == ["GET", "_OTHER", "_OTHER", "_OTHER"]
