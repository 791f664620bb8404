"""The way in for asynchronous servers. A wrong map does not start."""

from django.core.asgi import get_asgi_application

from commerce_coordinator.boot import web_application

application = web_application(get_asgi_application)
