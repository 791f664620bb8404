import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.floor.settings")

from .celery import app  # noqa: F401 - shared tasks need an app

application = get_wsgi_application()
