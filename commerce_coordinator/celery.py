"""The Celery app. `celery -A commerce_coordinator worker` finds it here."""

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_prerun, worker_init, worker_process_shutdown
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections, connection
from environs import EnvError

from commerce_coordinator.core import embedded_broker, unreadable, worker_pools

# Which side of the service a process is decides time-outs and what its sendings are marked with.
if "celery" in Path(sys.argv[0]).parts[-2:] and "worker" in sys.argv:
    os.environ.setdefault("CC_ROLE", "worker")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commerce_coordinator.settings.local")

embedded_broker.register()
unreadable.register()

if os.environ.get("CC_ROLE") == "worker":
    try:
        django_settings.INSTALLED_APPS  # noqa: B018 - reads the settings now
    except (ImproperlyConfigured, EnvError) as error:
        raise SystemExit(str(error)) from None  # Celery would bury the message under its traceback

app = Celery("commerce_coordinator")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _use_djangos_logging(**kwargs: Any) -> None:
    """Keep Celery from setting up logging of its own; Django has done it."""


@task_prerun.connect
def _look_after_the_connection(**kwargs: Any) -> None:
    """As Django does before a request: what is too old is closed, what may be broken is looked at before its use."""
    if not connection.in_atomic_block:  # but for a test's own transaction
        close_old_connections()


@worker_init.connect
def _warn_of_tasks_without_end(sender: Any, **kwargs: Any) -> None:
    worker_pools.warn_of_tasks_without_end(sender.pool_cls)


@worker_init.connect
def _refuse_a_wrong_map(**kwargs: Any) -> None:
    from commerce_coordinator.core.exceptions import WrongMap
    from commerce_coordinator.core.signals.checks import enforce

    try:
        enforce()
    except WrongMap as wrong:
        # Celery logs and forgets what a signal's receiver raises; only SystemExit goes through.
        raise SystemExit(str(wrong)) from None


@worker_process_shutdown.connect
def _let_the_last_spans_leave(**kwargs: Any) -> None:
    """A process of the pool ends without Python's own way out."""
    from commerce_coordinator.core.telemetry.switch import stop

    stop()
