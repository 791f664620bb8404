"""How a web process starts, or says why it does not."""

import os
import sys
from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

from commerce_coordinator.core.exceptions import WrongMap

Application = TypeVar("Application")

#: How a gunicorn worker says that it cannot boot: gunicorn stops instead of starting another.
CANNOT_BOOT = 3


def web_application(get_application: Callable[[], Application]) -> Application:
    """Django's application. Ends the process, with the whole list on stderr, when the map or the settings are wrong."""
    os.environ.setdefault("CC_ROLE", "web")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")
    try:
        application = get_application()

        from commerce_coordinator.core.signals.checks import enforce

        enforce()
    except (WrongMap, ImproperlyConfigured, EnvError) as wrong:
        print(wrong, file=sys.stderr)  # noqa: T201 - the last words of a process that does not start
        raise SystemExit(CANNOT_BOOT) from None
    return application
