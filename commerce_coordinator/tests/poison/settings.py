"""The local settings, and the poison."""

from commerce_coordinator.settings.local import *  # noqa: F403
from commerce_coordinator.settings.local import CC_SIGNALS, INSTALLED_APPS

_HERE = "commerce_coordinator.tests.poison"

INSTALLED_APPS = [_HERE, *INSTALLED_APPS]
CC_SIGNALS = {**CC_SIGNALS, f"{_HERE}.signals.bottle_opened": [f"{_HERE}.tasks.drink"]}
