"""The way in for asynchronous servers. A wrong map does not start."""

import os
import sys

from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

from commerce_coordinator.core.exceptions import WrongMap

os.environ.setdefault("CC_ROLE", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")

try:
    application = get_asgi_application()

    from commerce_coordinator.core.signals.checks import enforce

    enforce()
except (WrongMap, ImproperlyConfigured, EnvError) as wrong:
    print(wrong, file=sys.stderr)  # noqa: T201 - the last words of a process that does not start
    # 3 is how a gunicorn worker says that it cannot boot: gunicorn stops instead of starting another.
    raise SystemExit(3) from None
