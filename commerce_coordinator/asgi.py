"""The way in for asynchronous servers. A wrong map does not start."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("CC_ROLE", "web")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")

application = get_asgi_application()

from commerce_coordinator.core.signals.checks import enforce  # noqa: E402

enforce()
