"""The way in for gunicorn. A wrong map does not start."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("CC_ROLE", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")

application = get_wsgi_application()

from commerce_coordinator.core.signals.checks import enforce  # noqa: E402

enforce()
