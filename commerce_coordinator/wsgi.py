"""The way in for gunicorn. A wrong map does not start."""

from django.core.wsgi import get_wsgi_application

from commerce_coordinator.boot import web_application

application = web_application(get_wsgi_application)
