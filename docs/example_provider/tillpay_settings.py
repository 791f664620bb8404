"""The local settings, and Tillpay, while it is being written: it is not installed as a package yet."""

import os
import sys

os.environ.setdefault("TILLPAY_SECRET", "local-tillpay-secret")
os.environ.setdefault("TILLPAY_URL", "http://localhost:8998")

from tillpay.settings.common import plugin_settings

from commerce_coordinator.settings.local import *  # noqa: F403
from commerce_coordinator.settings.local import INSTALLED_APPS

if "tillpay.apps.TillpayConfig" not in INSTALLED_APPS:
    INSTALLED_APPS = ["tillpay.apps.TillpayConfig", *INSTALLED_APPS]
    plugin_settings(sys.modules[__name__])
