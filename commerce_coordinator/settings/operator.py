"""The operator's side of the settings: the YAML file, and what production demands."""

import difflib
import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from commerce_coordinator.core import crash_points

from . import jwk_sets, kinds, paypal_accounts, stripe_accounts, yaml_file

#: Values that stand in this repository or in tutorials; whoever uses them has no secret.
KNOWN_TO_ALL = {
    "local-secret-key-never-used-in-production",
    "local-lms-secret",
    "commerce-coordinator-sso-secret",
    "whsec_local",
    "local-webhook-id",
    "local-paypal-client",
    "local-paypal-secret",
    "webhook_id",  # the simulator's
    "changeme",
    "change-me",
    "secret",
    "password",
}

#: Other settings are made of these while the settings are read.
ENVIRONMENT_ONLY = frozenset(
    {"CC_LOG_LEVEL", "CC_DATABASE_TIMEOUT", "CC_ROLE", "CC_TASK_SOFT_TIME_LIMIT", "CC_TASK_TIME_LIMIT", "CC_PROXIES"}
)

#: Longer than the retries of a delivery and the redeliveries of a provider take.
SHORTEST_RETENTION_DAYS = 7

#: A file names of these maps what is to be otherwise: it replaces them key by key, not as a whole.
MERGED = frozenset({"CC_SIGNALS", "OPEN_EDX_FILTERS_CONFIG"})

#: Of a file.
NOT_UTF_8 = "is not valid YAML (its encoding is not UTF-8)"

_SHORTEST_SECRET_KEY = 50

#: As core/rest/throttles.py reads it; that module cannot be imported before there are settings.
RATE = re.compile(r"[1-9][0-9]{0,8}/(s|min|h|d)")


def read(path: Path) -> dict[str, Any]:
    """The settings in a YAML file. Raises ImproperlyConfigured naming the file and what would be right."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ImproperlyConfigured(f"COMMERCE_COORDINATOR_CFG: {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"COMMERCE_COORDINATOR_CFG: {path} {NOT_UTF_8} (cc.E033).") from None
    try:
        return parse(text)
    except yaml_file.Refused as refused:
        raise ImproperlyConfigured(f"COMMERCE_COORDINATOR_CFG: {path} {refused} (cc.{refused.number}).") from None


def parse(text: str) -> dict[str, Any]:
    """The settings in the text of such a file. Raises yaml_file.Refused."""
    loaded = yaml_file.load(text)
    if loaded is None:
        return {}
    if not isinstance(loaded, dict) or not all(isinstance(key, str) and key.isupper() for key in loaded):
        raise yaml_file.Refused("E033", "must map names of settings, in capitals, to their values")
    return loaded


def apply(loaded: Mapping[str, Any], settings: MutableMapping[str, Any]) -> None:
    """Put them over the settings. Signals and filters are merged one by one; all else replaces.

    Raises ImproperlyConfigured for what is read from the environment only, before there is a file; for a name of ours
    that no setting has; and for a value of another kind than its setting is.
    """
    without_effect = sorted(ENVIRONMENT_ONLY & loaded.keys())
    if without_effect:
        raise ImproperlyConfigured(
            f"COMMERCE_COORDINATOR_CFG: {', '.join(without_effect)} must be set in the environment; "
            "in the file it has no effect."
        )
    unknown = sorted(name for name in loaded if name.startswith("CC_") and name not in settings)
    if unknown:
        meant = {
            name: found[0] for name in unknown if (found := difflib.get_close_matches(name, settings, n=1, cutoff=0.8))
        }
        told = ", ".join(name + (f" (did you mean {meant[name]}?)" if name in meant else "") for name in unknown)
        raise ImproperlyConfigured(f"COMMERCE_COORDINATOR_CFG: there is no setting {told}.")
    if wrong := kinds.complaints(loaded, settings):
        raise ImproperlyConfigured(f"COMMERCE_COORDINATOR_CFG: {'; '.join(wrong)}.")
    for name, value in loaded.items():
        if name in MERGED and isinstance(value, Mapping):
            settings[name] = {**settings[name], **value}
        elif name == "DATABASE_URL":
            settings["DATABASES"] = {"default": settings["database"](value)}
        else:
            settings[name] = value


def complaints(settings: Mapping[str, Any]) -> list[str]:
    """What is missing or no secret, in words that name the setting and what would be right."""
    found = []
    for name, remedy in _required(settings).items():
        value = settings.get(name)
        if not value:
            found.append(f"{name} is not set. {remedy}")
        elif _is_known_to_all(value):
            found.append(f"{name} is a value that everybody knows. {remedy}")
    key = settings.get("SECRET_KEY") or ""
    if not isinstance(key, str):
        found.append("SECRET_KEY must be a text. Put it into quotes.")
    elif key and not _is_known_to_all(key) and len(key) < _SHORTEST_SECRET_KEY:
        found.append(f"SECRET_KEY is shorter than {_SHORTEST_SECRET_KEY} characters. Use a long random one.")
    if str(settings.get("CELERY_BROKER_URL", "")).startswith(("embedded:", "memory:", "filesystem:")):
        found.append("CELERY_BROKER_URL names a broker for laptops. Use redis://host:6379/0 or amqp://...")
    days = settings.get("CC_RETENTION_DAYS", 90)
    if not isinstance(days, int) or days < SHORTEST_RETENTION_DAYS:
        found.append(f"CC_RETENTION_DAYS must be a whole number, {SHORTEST_RETENTION_DAYS} or more.")
    if "commerce_coordinator.plugins.stripe" in settings["INSTALLED_APPS"]:
        found += stripe_accounts.complaints(settings)
    if "commerce_coordinator.plugins.paypal" in settings["INSTALLED_APPS"]:
        found += paypal_accounts.complaints(settings.get("CC_PAYPAL"), _is_known_to_all)
        if wrong := paypal_accounts.roots_complaint(settings.get("CC_PAYPAL_TRUSTED_ROOTS")):
            found.append(wrong)
    found += _people(settings)
    if os.environ.get(crash_points.ENVIRONMENT_VARIABLE):
        # Whoever may write into that folder could end any process at any time.
        found.append(f"{crash_points.ENVIRONMENT_VARIABLE} is set: it is for tests and lets processes die. Unset it.")
    return found


def _people(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with how people and services log in, and how often they may call."""
    found = []
    if settings.get("CC_LMS_JWT_JWK_SET") and (wrong := jwk_sets.complaint(settings["CC_LMS_JWT_JWK_SET"])):
        found.append(f"CC_LMS_JWT_JWK_SET {wrong}")
    sso = [name for name in ("CC_LMS_SSO_CLIENT_ID", "CC_LMS_SSO_CLIENT_SECRET") if settings.get(name)]
    if len(sso) == 1:
        found.append(f"{sso[0]} is set alone. Log-in through the LMS needs the client's id and its secret, or neither.")
    found += [
        f"{name} is a value that everybody knows. Give that client's secret."
        for name in ("CC_LMS_SSO_CLIENT_SECRET", "CC_API_CLIENT_SECRET")
        if _is_known_to_all(settings.get(name))
    ]
    for name in ("CC_THROTTLE_USER", "CC_THROTTLE_ANONYMOUS"):
        rate = settings.get(name) or ""
        if rate and not (isinstance(rate, str) and RATE.fullmatch(rate)):
            found.append(f'{name} must be calls per unit (s, min, h or d), such as "120/min", or empty.')
    origins = settings.get("CC_CORS_ALLOWED_ORIGINS") or []
    if not isinstance(origins, (list, tuple)) or not all(_is_origin(each) for each in origins):
        found.append("CC_CORS_ALLOWED_ORIGINS must be a list of origins with their scheme, https://orders.example.com.")
    return found


def _is_origin(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"https?://[A-Za-z0-9.\-]+(:[0-9]+)?", value) is not None


def _required(settings: Mapping[str, Any]) -> dict[str, str]:
    required = {
        "SECRET_KEY": "Use a long random string.",
        "ALLOWED_HOSTS": "Name the hosts that this service answers for, separated by commas.",
        "DATABASES": "Set DATABASE_URL, e.g. mysql://user:password@host:3306/name.",
        "CELERY_BROKER_URL": "Name the broker, e.g. redis://host:6379/0.",
    }
    apps = settings["INSTALLED_APPS"]
    if "commerce_coordinator.plugins.stripe" in apps:
        required["CC_STRIPE_SECRETS"] = 'Give each account\'s signing secrets, e.g. {"": ["whsec_..."]}.'
    if "commerce_coordinator.plugins.lms" in apps:
        required["CC_LMS_URL_ROOT"] = "Name the LMS, e.g. https://lms.example.com."
        required["CC_LMS_CLIENT_ID"] = "Name the OAuth client of this service at the LMS."
        required["CC_LMS_CLIENT_SECRET"] = "Give that client's secret."
        required["CC_LMS_JWT_ISSUER"] = "Give the issuer of the LMS's JWTs: its setting JWT_AUTH, JWT_ISSUER."
        required["CC_LMS_JWT_AUDIENCE"] = "Give the audience of the LMS's JWTs: its setting JWT_AUTH, JWT_AUDIENCE."
        required["CC_LMS_JWT_JWK_SET"] = "Give the LMS's public keys: its setting JWT_PUBLIC_SIGNING_JWK_SET."
    return required


def _is_known_to_all(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in KNOWN_TO_ALL
    if isinstance(value, Mapping):
        return any(_is_known_to_all(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return any(_is_known_to_all(inner) for inner in value)
    return False
