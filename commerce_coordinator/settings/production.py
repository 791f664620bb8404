"""For production: nothing has a default that could be a secret; whatever is missing is named, all at once.

Values come from the environment and from the YAML file that COMMERCE_COORDINATOR_CFG names, which wins. Its keys are
the names of settings; CC_SIGNALS and OPEN_EDX_FILTERS_CONFIG in it replace the shipped maps signal by signal and filter
by filter.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from . import operator
from .base import *  # noqa: F403
from .base import CC_ROLE, PACKAGE_ROOT, Path, broker, database, env, logging_settings
from .derived import derive

DEBUG = False
READS_OPERATOR_FILE = True
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
SECRET_KEY = env.str("SECRET_KEY", "")
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "")
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(PACKAGE_ROOT.parent / "static")))

DATABASES: dict[str, Any] = {}
if env.str("DATABASE_URL", ""):
    DATABASES["default"] = database(env.str("DATABASE_URL"))

LOGGING = logging_settings(json=True, level=env.str("CC_LOG_LEVEL", "INFO"))

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10

# TLS ends at a proxy that sets this header; what comes without TLS is sent there.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^health/$"]  # load balancers ask without TLS
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

#: As they are without the file: `manage.py routes --config` puts another one over them.
without_file: dict[str, Any] = dict(globals())

if env.str("COMMERCE_COORDINATOR_CFG", ""):
    operator.apply(operator.read(Path(env.str("COMMERCE_COORDINATOR_CFG"))), globals())

derive(globals())
CELERY_BROKER_TRANSPORT_OPTIONS, CC_PUBLISH_TRANSPORT_OPTIONS = broker(CELERY_BROKER_URL)
if CC_ROLE != "worker":
    # Web and relay only publish; whatever of Celery's they use must not wait longer than they may.
    CELERY_BROKER_TRANSPORT_OPTIONS = CC_PUBLISH_TRANSPORT_OPTIONS

_complaints = operator.complaints(globals())
if _complaints:
    raise ImproperlyConfigured("Production does not start:\n" + "\n".join(f"- {each}" for each in _complaints))
