"""What is the same everywhere. Everything an operator changes comes from the environment."""

from pathlib import Path
from typing import Any

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from edx_django_utils.plugins import add_plugins, get_plugin_apps
from environs import Env

from commerce_coordinator import __version__
from commerce_coordinator.core.telemetry.logs import logging_settings

from .derived import derive
from .routes import CC_SIGNALS, OPEN_EDX_FILTERS_CONFIG  # noqa: F401 - the map is a setting

env = Env()

PACKAGE_ROOT = Path(__file__).resolve().parent.parent
PLUGIN_NAMESPACE = "commerce_coordinator.djangoapp"

# --- What this process is: web, worker, relay or a command. The entry points say so. ---

CC_ROLE = env.str("CC_ROLE", "command")
CC_ORIGIN = {"web": "web", "worker": "worker"}.get(CC_ROLE, "command")

# --- Apps ---

INSTALLED_APPS: list[str] = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "corsheaders",
    "social_django",
    "commerce_coordinator.accounts",
    "commerce_coordinator.core.deliveries",
    "commerce_coordinator.core.inbox",
    "commerce_coordinator.core.retirement",
    # Plugins of other packages, by their entry points. Before ours: their templates stand in for ours of the same name.
    *get_plugin_apps(PLUGIN_NAMESPACE),
    "commerce_coordinator.plugins.stripe",
    "commerce_coordinator.plugins.paypal",
    "commerce_coordinator.plugins.fulfillment",
    "commerce_coordinator.plugins.lms",
    "commerce_coordinator.plugins.notifications",
    "commerce_coordinator.plugins.order_history",
    "commerce_coordinator.plugins.ecommerce",
    "commerce_coordinator.console",
    # Last: it connects the map when all others are ready.
    "commerce_coordinator.core.signals",
]

MIDDLEWARE = [
    "commerce_coordinator.console.middleware.HealthMiddleware",
    "commerce_coordinator.core.inbox.middleware.WebhookMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "commerce_coordinator.core.telemetry.middleware.RequestSpanMiddleware",
    "edx_django_utils.cache.middleware.RequestCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "edx_rest_framework_extensions.auth.jwt.middleware.JwtAuthCookieMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "commerce_coordinator.urls"
WSGI_APPLICATION = "commerce_coordinator.wsgi.application"
ASGI_APPLICATION = "commerce_coordinator.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Log-in: through the LMS (edx-auth-backends), or with a password at the admin's own page. ---

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "auth_backends.backends.EdXOAuth2"]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
SOCIAL_AUTH_STRATEGY = "auth_backends.strategies.EdxDjangoStrategy"
SOCIAL_AUTH_PIPELINE = [
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    # By our rules, not by the name alone; and no token of the LMS is kept.
    "commerce_coordinator.accounts.pipeline.account",
    "social_core.pipeline.social_auth.associate_user",
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Django refuses larger bodies unread; webhooks answer 413 before.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- REST: staff only unless a view says otherwise; the LMS's JWTs (header or cookie) and our own sessions. ---

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "commerce_coordinator.accounts.authentication.LmsJwtAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["commerce_coordinator.core.rest.permissions.IsStaff"],
    "DEFAULT_THROTTLE_CLASSES": [
        "commerce_coordinator.core.rest.throttles.UserThrottle",
        "commerce_coordinator.core.rest.throttles.AnonymousThrottle",
    ],
    "DEFAULT_PAGINATION_CLASS": "commerce_coordinator.core.rest.pagination.Pages",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["commerce_coordinator.core.rest.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,
    # How many proxies of ours stand before the web process: the address of a caller is what the first of them saw.
    "NUM_PROXIES": env.int("CC_PROXIES", 1),
    "EXCEPTION_HANDLER": "commerce_coordinator.core.rest.errors.handle",
}
CC_THROTTLE_USER = env.str("CC_THROTTLE_USER", "120/min")
CC_THROTTLE_ANONYMOUS = env.str("CC_THROTTLE_ANONYMOUS", "60/min")
EDX_DRF_EXTENSIONS = {
    "JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {
        "administrator": "is_staff",
        "email": "email",
        "user_id": "lms_user_id",
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Commerce Coordinator",
    "DESCRIPTION": "What the LMS, the micro-frontends and services call.",
    "VERSION": __version__,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "commerce_coordinator.core.rest.openapi.add_errors",
    ],
}
# Which pages of other origins may call with cookies: the micro-frontends.
CC_CORS_ALLOWED_ORIGINS: list[str] = env.list("CC_CORS_ALLOWED_ORIGINS", [])
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [*default_headers, "use-jwt-cookie"]  # the micro-frontends' client sends it
CORS_EXPOSE_HEADERS = ["Retry-After"]
CORS_URLS_REGEX = r"^/(?!admin/).*$"

# edx-django-utils prints a New Relic failure at start without this line.
OPENEDX_TELEMETRY: list[str] = env.list("OPENEDX_TELEMETRY", [])
# Spans by OTLP; needs requirements/opentelemetry.txt. Where to is said by OpenTelemetry's own variables, OTEL_...
CC_OPENTELEMETRY = env.bool("CC_OPENTELEMETRY", False)
CC_VERSION = __version__

LOGGING = logging_settings(json=False, level=env.str("CC_LOG_LEVEL", "INFO"))

# --- Databases: time-outs are short in the web process, so that a database that hangs becomes a 503. ---


def sqlite(path: Path) -> dict[str, Any]:
    """SQLite as a durable, concurrent store: WAL, full synchronous, write locks taken at BEGIN."""
    seconds = env.int("CC_DATABASE_TIMEOUT", 5 if CC_ROLE == "web" else 20)
    pragmas = ["journal_mode=WAL", "synchronous=FULL", f"busy_timeout={seconds * 1000}", "foreign_keys=ON"]
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": seconds,
            "transaction_mode": "IMMEDIATE",
            "init_command": ";".join(f"PRAGMA {pragma}" for pragma in pragmas),
        },
    }


def database(url: str) -> dict[str, Any]:
    """A database from its URL (sqlite:////path, mysql://user:password@host:port/name), tuned as the engine needs it."""
    import dj_database_url

    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url))
        known = bool(parsed.get("ENGINE"))
    except (ValueError, AttributeError, TypeError):
        known = False
    if not known:  # the URL has a password in it: it is not shown
        raise ImproperlyConfigured("DATABASE_URL must be such as mysql://user:password@host:port/name.")
    if parsed["ENGINE"].endswith("sqlite3"):
        return sqlite(Path(parsed["NAME"]))
    if parsed["ENGINE"].endswith("mysql"):
        seconds = env.int("CC_DATABASE_TIMEOUT", 5 if CC_ROLE == "web" else 30)
        parsed.update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
        # What the URL says, TLS for one, wins.
        parsed["OPTIONS"] = {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES'",
            "connect_timeout": min(3, seconds),
            "read_timeout": seconds,
            "write_timeout": seconds,
            **parsed.get("OPTIONS", {}),
        }
    return parsed


# --- Celery: see docs/decisions for why each line is as it is. ---

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = env.int("CC_TASK_SOFT_TIME_LIMIT", 45)
CELERY_TASK_TIME_LIMIT = env.int("CC_TASK_TIME_LIMIT", 60)
# Celery would open a database connection for each task. This one stays; commerce_coordinator/celery.py looks after it.
CELERY_DB_REUSE_MAX = 10**9
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_CONSUMER = "commerce_coordinator.core.consumer:Consumer"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_POOL_LIMIT = 32
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}


# Seconds that a publishing may take. A provider waits for the web process; nobody waits for the relay.
CC_PUBLISH_TIMEOUT = env.float("CC_PUBLISH_TIMEOUT", 1.0 if CC_ROLE == "relay" else 0.05)


def broker(url: str, *, folder: Path | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """(transport options of consumers, transport options of publishers) for a broker URL."""
    # Kombu would wait two seconds before it tells that nobody listens.
    at_once = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    if url.startswith("embedded:"):
        options = {"folder": str(folder)}
        return options, options
    if url.startswith(("redis:", "rediss:")):
        common = {"visibility_timeout": 300, "socket_keepalive": True}
        consuming = {
            **common,
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            "health_check_interval": 5,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
        }
        timeouts = {"socket_connect_timeout": CC_PUBLISH_TIMEOUT, "socket_timeout": CC_PUBLISH_TIMEOUT}
        return consuming, {**common, **at_once, **timeouts}
    patience = max(CC_PUBLISH_TIMEOUT, 1)  # AMQP: a broker short of memory stops reading
    return {}, {**at_once, "connect_timeout": patience, "read_timeout": patience, "write_timeout": patience}


# --- The engine ---

CC_RETRY_SCHEDULE = tuple(env.list("CC_RETRY_SCHEDULE", [5, 30, 300, 1800, 7200, 18000, 36000, 36000], subcast=float))
CC_LEASE_SECONDS = env.int("CC_LEASE_SECONDS", 90)
CC_RELAY_INTERVAL = env.float("CC_RELAY_INTERVAL", 1.0)
# How long a published delivery may stay unclaimed before the relay publishes it again, the first time; then doubling.
CC_WAKE_GAP_SECONDS = env.float("CC_WAKE_GAP_SECONDS", 10.0)
# How often the relay asks whether workers work. Several must get lost before one is called silent.
CC_CANARY_SECONDS = env.float("CC_CANARY_SECONDS", 10.0)
# How long a receiver that no code knows is waited for: as long as a rolling deploy may take.
CC_UNKNOWN_RECEIVER_SECONDS = env.float("CC_UNKNOWN_RECEIVER_SECONDS", 900.0)
CC_RETENTION_DAYS = env.int("CC_RETENTION_DAYS", 90)
CC_SOURCE_SYSTEM = env.str("CC_SOURCE_SYSTEM", "commerce_coordinator")

# --- Which processes record signals by themselves; the others send them through the API, as the client named here. ---

# Production's settings do: the file that COMMERCE_COORDINATOR_CFG names.
READS_OPERATOR_FILE = False
CC_SIGNAL_ORIGINS: list[str] = env.list("CC_SIGNAL_ORIGINS", ["web", "api", "worker", "command"])
CC_API_URL = env.str("CC_API_URL", "")
# Empty: those of CC_LMS_...
CC_API_CLIENT_ID = env.str("CC_API_CLIENT_ID", "")
CC_API_CLIENT_SECRET = env.str("CC_API_CLIENT_SECRET", "")
# The user that the LMS's token of that client names; empty: the client's id.
CC_API_USERNAME = env.str("CC_API_USERNAME", "")
CC_API_CONNECT_TIMEOUT = env.float("CC_API_CONNECT_TIMEOUT", 3.05)
CC_API_READ_TIMEOUT = env.float("CC_API_READ_TIMEOUT", 15.0)

# --- Stripe: {account: [secret, ...]}; two secrets while one is rolled. "" is the account of /stripe/webhook/. ---

CC_STRIPE_SECRETS: Any = env.json("CC_STRIPE_SECRETS", {})
# Which events count: True those of live mode, False those of test mode, None both.
CC_STRIPE_LIVEMODE: bool | None = env.bool("CC_STRIPE_LIVEMODE", True)
CC_STRIPE_TOLERANCE = env.int("CC_STRIPE_TOLERANCE", 300)
# For refunds and receipts: {account: key}, and where the API is.
CC_STRIPE_API_KEYS: Any = env.json("CC_STRIPE_API_KEYS", {})
CC_STRIPE_API_URL = env.str("CC_STRIPE_API_URL", "https://api.stripe.com")
CC_STRIPE_CONNECT_TIMEOUT = env.float("CC_STRIPE_CONNECT_TIMEOUT", 3.05)
CC_STRIPE_READ_TIMEOUT = env.float("CC_STRIPE_READ_TIMEOUT", 20.0)

# --- PayPal: {account: {"webhook_ids", "client_id", "client_secret", "environment", "verification", "api_url"}}; see
# docs/paypal.rst. "" is the account of /paypal/webhook/. Empty: nothing is accepted from PayPal. ---

CC_PAYPAL: Any = env.json("CC_PAYPAL", {})
# A PEM file of root certificates; empty: certifi's.
CC_PAYPAL_TRUSTED_ROOTS = env.str("CC_PAYPAL_TRUSTED_ROOTS", "")

# --- The LMS ---

CC_LMS_URL_ROOT = env.str("CC_LMS_URL_ROOT", "")
CC_LMS_CLIENT_ID = env.str("CC_LMS_CLIENT_ID", "")
CC_LMS_CLIENT_SECRET = env.str("CC_LMS_CLIENT_SECRET", "")
# Its address in a browser, where that is another one.
CC_LMS_PUBLIC_URL_ROOT = env.str("CC_LMS_PUBLIC_URL_ROOT", "")
# Its JWTs: who signs them, for whom, and the public keys (its setting JWT_PUBLIC_SIGNING_JWK_SET).
CC_LMS_JWT_ISSUER = env.str("CC_LMS_JWT_ISSUER", "")
CC_LMS_JWT_AUDIENCE = env.str("CC_LMS_JWT_AUDIENCE", "")
CC_LMS_JWT_JWK_SET = env.str("CC_LMS_JWT_JWK_SET", "")
# Log-in through it: the OAuth client for that. Empty: with passwords only.
CC_LMS_SSO_CLIENT_ID = env.str("CC_LMS_SSO_CLIENT_ID", "")
CC_LMS_SSO_CLIENT_SECRET = env.str("CC_LMS_SSO_CLIENT_SECRET", "")
CC_LMS_CONNECT_TIMEOUT = env.float("CC_LMS_CONNECT_TIMEOUT", 3.05)
CC_LMS_READ_TIMEOUT = env.float("CC_LMS_READ_TIMEOUT", 15.0)
# Where the LMS's learners pay, and where its support sees an order: {order_number} stands for its number.
CC_STOREFRONT_URL = env.str("CC_STOREFRONT_URL", "")
CC_ORDER_DETAILS_URL = env.str("CC_ORDER_DETAILS_URL", "")

# --- The legacy shop; without an address there is none. Its tokens are the LMS's. ---

CC_ECOMMERCE_URL_ROOT = env.str("CC_ECOMMERCE_URL_ROOT", "")
# Where learners' browsers find it, when that is another address than ours.
CC_ECOMMERCE_PUBLIC_URL_ROOT = env.str("CC_ECOMMERCE_PUBLIC_URL_ROOT", "")
CC_ECOMMERCE_REDEEM_PATH = env.str("CC_ECOMMERCE_REDEEM_PATH", "")
CC_ECOMMERCE_CONNECT_TIMEOUT = env.float("CC_ECOMMERCE_CONNECT_TIMEOUT", 3.05)
CC_ECOMMERCE_READ_TIMEOUT = env.float("CC_ECOMMERCE_READ_TIMEOUT", 5.0)

# --- E-mail ---

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "orders@localhost")
# Who is told when somebody must look, and where this service is reached: its pages are linked in what they get.
CC_OPERATOR_EMAILS: list[str] = env.list("CC_OPERATOR_EMAILS", [])
CC_PUBLIC_URL = env.str("CC_PUBLIC_URL", "")
# Of mails to learners; those to the operator are in LANGUAGE_CODE. Translations lie in LOCALE_PATHS, too.
CC_MAIL_LANGUAGE = env.str("CC_MAIL_LANGUAGE", "en")

# JWT_AUTH, SOCIAL_AUTH_... and CORS_...
derive(globals())

# --- Settings and routes of other packages' plugins, by their `settings_config`: their `plugin_settings(settings)` gets
# this module. They come after ours and before the operator's, who has the last word. ---

add_plugins(__name__, PLUGIN_NAMESPACE, "common")
