"""The way in for gunicorn. A wrong map does not start."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("CC_ROLE", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")

application = get_wsgi_application()

from commerce_coordinator.core.exceptions import WrongMap  # noqa: E402
from commerce_coordinator.core.signals.checks import enforce  # noqa: E402

try:
    enforce()
except WrongMap as wrong:
    print(wrong, file=sys.stderr)  # noqa: T201 - the last words of a process that does not start
    # 3 is how a gunicorn worker says that it cannot boot: gunicorn stops instead of starting another.
    raise SystemExit(3) from None
