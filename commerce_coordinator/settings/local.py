"""For a laptop: SQLite, the embedded broker, the stand-in LMS in the web process. The default settings."""

import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import (
    CC_SIGNALS,
    INSTALLED_APPS,
    OPEN_EDX_FILTERS_CONFIG,
    PACKAGE_ROOT,
    Path,
    broker,
    database,
    env,
    sqlite,
)
from .derived import derive
from .local_keys import public_set, signing_key
from .routes import DEMO_FILTERS, DEMO_SIGNALS

DEBUG = True
SECRET_KEY = env.str("SECRET_KEY", "local-secret-key-never-used-in-production")
ALLOWED_HOSTS = ["*"]

#: Everything this instance writes is in here.
DATA_FOLDER = Path(env.str("CC_DATA", str(PACKAGE_ROOT.parent / "data"))).resolve()
try:
    DATA_FOLDER.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(
        f"The data folder {DATA_FOLDER} cannot be made ({error.strerror}). Give another: make run DATA=/some/folder"
    ) from None
PORT = env.int("CC_PORT", 8140)

INSTALLED_APPS = [*INSTALLED_APPS]
INSTALLED_APPS.insert(INSTALLED_APPS.index("commerce_coordinator.console"), "commerce_coordinator.plugins.demo_lms")
CC_SIGNALS = {**CC_SIGNALS, **DEMO_SIGNALS}
OPEN_EDX_FILTERS_CONFIG = {**OPEN_EDX_FILTERS_CONFIG, **DEMO_FILTERS}

_url = env.str("DATABASE_URL", "")
DATABASES = {"default": database(_url) if _url else sqlite(DATA_FOLDER / "commerce_coordinator.sqlite3")}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "embedded://")
CELERY_BROKER_TRANSPORT_OPTIONS, CC_PUBLISH_TRANSPORT_OPTIONS = broker(CELERY_BROKER_URL, folder=DATA_FOLDER / "broker")
if CELERY_BROKER_URL.startswith("embedded:"):
    # Files are polled: a larger prefetch costs nothing, and the worker's remote control would need a second queue.
    CELERY_WORKER_PREFETCH_MULTIPLIER = 8
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

STATIC_ROOT = DATA_FOLDER / "static"
STORAGES = {  # no manifest: pages must work before collectstatic ran
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
CC_OPERATOR_EMAILS = env.list("CC_OPERATOR_EMAILS", ["operator@localhost"])
CC_PUBLIC_URL = env.str("CC_PUBLIC_URL", f"http://localhost:{PORT}")

CC_STRIPE_LIVEMODE = env.bool("CC_STRIPE_LIVEMODE", None)
CC_STRIPE_SECRETS = env.json("CC_STRIPE_SECRETS", {"": ["whsec_local"]})
# The stand-ins of Stripe and PayPal are in the web process, too.
CC_STRIPE_API_KEYS = env.json("CC_STRIPE_API_KEYS", {"": "sk_test_local"})
CC_STRIPE_API_URL = env.str("CC_STRIPE_API_URL", f"http://localhost:{PORT}/demo_lms/stripe")

CC_PAYPAL = env.json(
    "CC_PAYPAL",
    {
        "": {
            "webhook_ids": ["local-webhook-id"],
            "client_id": "local-paypal-client",
            "client_secret": "local-paypal-secret",
            "environment": "sandbox",
            "verification": "postback",  # the stand-in has no certificate of PayPal's
            "api_url": f"http://localhost:{PORT}/demo_lms/paypal",
        }
    },
)

CC_LMS_URL_ROOT = env.str("CC_LMS_URL_ROOT", f"http://localhost:{PORT}/demo_lms")
CC_LMS_CLIENT_ID = env.str("CC_LMS_CLIENT_ID", "commerce-coordinator-worker")
CC_LMS_CLIENT_SECRET = env.str("CC_LMS_CLIENT_SECRET", "local-lms-secret")

CC_API_URL = env.str("CC_API_URL", f"http://localhost:{PORT}")

CC_STOREFRONT_URL = env.str("CC_STOREFRONT_URL", f"http://localhost:{PORT}/demo_lms/storefront/")
CC_ORDER_DETAILS_URL = env.str(
    "CC_ORDER_DETAILS_URL", f"http://localhost:{PORT}/demo_lms/storefront/?order_number={{order_number}}"
)

# The stand-in LMS signs JWTs with a key of this folder; a real one beside a laptop gives its own public keys.
_signing_key = signing_key(DATA_FOLDER)
CC_LMS_JWT_ISSUER = env.str("CC_LMS_JWT_ISSUER", f"{CC_LMS_URL_ROOT}/oauth2")
CC_LMS_JWT_AUDIENCE = env.str("CC_LMS_JWT_AUDIENCE", "lms-key")
CC_LMS_JWT_JWK_SET = env.str("CC_LMS_JWT_JWK_SET", public_set(_signing_key))
CC_LMS_SSO_CLIENT_ID = env.str("CC_LMS_SSO_CLIENT_ID", "commerce-coordinator-sso")
CC_LMS_SSO_CLIENT_SECRET = env.str("CC_LMS_SSO_CLIENT_SECRET", "commerce-coordinator-sso-secret")
SOCIAL_AUTH_REDIRECT_IS_HTTPS = False

derive(globals())
JWT_AUTH: dict[str, Any] = {**globals()["JWT_AUTH"], "JWT_PRIVATE_SIGNING_JWK": _signing_key}

# A laptop's web process and its worker share this folder, so that a second instance beside it shares nothing.
os.environ.setdefault("CC_DATA", str(DATA_FOLDER))
