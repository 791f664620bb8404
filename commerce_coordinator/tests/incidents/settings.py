"""The local settings, the campus's plugin, and over them the operator's file, as in production."""

from pathlib import Path

from commerce_coordinator.settings import operator
from commerce_coordinator.settings.local import *  # noqa: F403
from commerce_coordinator.settings.local import INSTALLED_APPS, env

INSTALLED_APPS = ["commerce_coordinator.tests.incidents.campus", *INSTALLED_APPS]
operator.apply(operator.read(Path(env.str("COMMERCE_COORDINATOR_CFG"))), globals())
