"""The local settings, and the bookshop, while it is being written: it is not installed as a package yet."""

import os
import sys

os.environ.setdefault("BOOKSHOP_SECRET", "local-bookshop-secret")
os.environ.setdefault("BOOKSHOP_WAREHOUSE_URL", "http://localhost:8999")

from bookshop.settings.common import plugin_settings

from commerce_coordinator.settings.local import *  # noqa: F403
from commerce_coordinator.settings.local import INSTALLED_APPS

if "bookshop.apps.BookshopConfig" not in INSTALLED_APPS:
    INSTALLED_APPS = ["bookshop.apps.BookshopConfig", *INSTALLED_APPS]
    plugin_settings(sys.modules[__name__])
