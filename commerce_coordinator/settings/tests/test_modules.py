"""The settings as they are read at start: production in a process of its own, the others as they stand."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commerce_coordinator import settings as settings_package
from commerce_coordinator.settings import base, local, routes

ROOT = Path(settings_package.__file__).parents[2]
PATIENCE = 60  # seconds until a process that does not end is a failure

KEY = "9vTq2mLx7cZr4kWp" * 4
RIGHT = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "shop.example.com,www.example.com",
    "DATABASE_URL": "sqlite:////nowhere/coordinator.sqlite3",
    "CELERY_BROKER_URL": "redis://:rZ81qa@cache:6379/0",
    "CC_STRIPE_SECRETS": '{"": ["whsec_9Xk2"]}',
    "CC_LMS_URL_ROOT": "https://lms.example.com",
    "CC_LMS_CLIENT_ID": "coordinator",
    "CC_LMS_CLIENT_SECRET": "j4Hs-91",
    "CC_LMS_JWT_ISSUER": "https://lms.example.com/oauth2",
    "CC_LMS_JWT_AUDIENCE": "openedx",
    "CC_LMS_JWT_JWK_SET": local.CC_LMS_JWT_JWK_SET,
}
#: Not demanded, only warned of.
WANTED = {
    "CC_STRIPE_API_KEYS": '{"": "rk_live_7Pm4"}',
    "CC_PUBLIC_URL": "https://coordinator.example.com",
    "CC_OPERATOR_EMAILS": "operator@example.com",
    "CC_STOREFRONT_URL": "https://shop.example.com/basket/",
    "CC_ORDER_DETAILS_URL": "https://shop.example.com/orders/{order_number}/",
}
#: What libraries warn of that we can do nothing about; see tox.ini.
OF_LIBRARIES = (
    "ignore:defusedxml.cElementTree is deprecated:DeprecationWarning",
    "ignore:Python 3.11 support is deprecated:DeprecationWarning",
)
STRICT = ["-W", "error", *(part for each in OF_LIBRARIES for part in ("-W", each))]
SHOW = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def run(*arguments, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, *STRICT, *arguments],
        cwd=ROOT,
        env={**kept, "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.production", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def production(*names, **environment):
    ended = run("-c", SHOW, *names, **environment)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def refusal(**environment):
    """What production says when it does not start."""
    ended = run("-c", SHOW, "DEBUG", **environment)
    assert ended.returncode != 0
    return ended.stdout + ended.stderr


# --- Production ---


def test_production_starts_with_what_it_demands_and_no_more():
    shown = production("DEBUG", "ALLOWED_HOSTS", "CC_STRIPE_SECRETS", "CC_SIGNALS", "OPENEDX_TELEMETRY", **RIGHT)
    assert shown == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["shop.example.com", "www.example.com"],
        "CC_STRIPE_SECRETS": {"": ["whsec_9Xk2"]},
        "CC_SIGNALS": routes.CC_SIGNALS,
        "OPENEDX_TELEMETRY": [],
    }


def test_production_without_anything_names_all_that_is_missing():
    said = refusal()
    assert "Production does not start:" in said
    assert [name for name in RIGHT if name != "DATABASE_URL" and f"- {name} is not set." not in said] == []
    assert "- DATABASES is not set. Set DATABASE_URL" in said


def test_production_names_missing_and_default_secrets_at_once_and_shows_none():
    said = refusal(
        **{
            **RIGHT,
            "SECRET_KEY": "hunter2",
            "CC_STRIPE_SECRETS": '{"": ["whsec_local"], "eu": ["whsec_hunter2"]}',
            "CC_LMS_CLIENT_SECRET": "local-lms-secret",
            "CC_LMS_CLIENT_ID": "",
        }
    )
    for complaint in (
        "SECRET_KEY is shorter than",
        "CC_STRIPE_SECRETS is a value that everybody knows.",
        "CC_LMS_CLIENT_SECRET is a value that everybody knows.",
        "CC_LMS_CLIENT_ID is not set.",
    ):
        assert f"- {complaint}" in said
    assert said.count("\n- ") == 4
    assert [value for value in ("hunter2", "whsec_local", "local-lms-secret") if value in said] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CC_STRIPE_SECRETS", '{"": ["whsec_hunter2"'),
        ("DATABASE_URL", "mysql://coordinator:hunter2#@db:3306/name"),
    ],
)
def test_a_malformed_secret_is_named_and_not_shown(name, value):
    said = refusal(**{**RIGHT, name: value})
    assert "hunter2" not in said
    assert name in said or "url" in said.lower()


def test_the_operators_file_wins_and_its_map_is_merged_signal_by_signal(tmp_path):
    payment_captured = "commerce_coordinator.plugins.stripe.signals.payment_captured"
    file = tmp_path / "coordinator.yml"
    routed = f"{payment_captured}: []\n  shop.signals.sold: [shop.tasks.note]"
    file.write_text(f"CC_RETENTION_DAYS: 30\nCC_SIGNALS:\n  {routed}\n")
    environment = {**RIGHT, "COMMERCE_COORDINATOR_CFG": str(file), "CC_RETENTION_DAYS": "60"}
    shown = production("CC_SIGNALS", "CC_RETENTION_DAYS", "SECRET_KEY", **environment)
    assert shown["CC_RETENTION_DAYS"] == 30
    assert shown["SECRET_KEY"] == KEY
    assert shown["CC_SIGNALS"] == {
        **routes.CC_SIGNALS,
        payment_captured: [],
        "shop.signals.sold": ["shop.tasks.note"],
    }


def test_all_that_production_demands_may_stand_in_the_operators_file(tmp_path):
    file = tmp_path / "coordinator.yml"
    lines = {
        **RIGHT,
        "ALLOWED_HOSTS": ["shop.example.com"],
        "CC_STRIPE_SECRETS": {"": ["whsec_9Xk2"]},
        "CELERY_BROKER_URL": "amqp://mq//",
    }
    file.write_text(json.dumps(lines))  # JSON is YAML
    names = ("ALLOWED_HOSTS", "CC_LMS_CLIENT_SECRET", "DATABASES", "CELERY_BROKER_TRANSPORT_OPTIONS")
    shown = production(*names, COMMERCE_COORDINATOR_CFG=str(file), CELERY_BROKER_URL="redis://cache:6379/0")
    assert shown["ALLOWED_HOSTS"] == ["shop.example.com"]
    assert shown["CC_LMS_CLIENT_SECRET"] == "j4Hs-91"
    assert shown["DATABASES"]["default"]["NAME"] == "/nowhere/coordinator.sqlite3"
    # Time-outs are those of the broker in the file.
    assert shown["CELERY_BROKER_TRANSPORT_OPTIONS"]["max_retries"] == 0, "it publishes, and does not wait for it"


@pytest.mark.parametrize("content", ["SECRET_KEY: [hunter2", None])
def test_an_operators_file_that_cannot_be_used_is_one_clear_error(tmp_path, content):
    file = tmp_path / "coordinator.yml"
    if content is not None:
        file.write_text(content)
    said = refusal(**RIGHT, COMMERCE_COORDINATOR_CFG=str(file))
    assert f"ImproperlyConfigured: COMMERCE_COORDINATOR_CFG: {file} " in said.splitlines()[-1]
    assert "During handling of the above exception" not in said
    assert "hunter2" not in said


def test_what_follows_from_the_operators_file_follows_from_it(tmp_path):
    """The libraries' settings are made of ours, those of the file included."""
    file = tmp_path / "coordinator.yml"
    lines = {
        "CC_LMS_JWT_ISSUER": "https://other.example.com/oauth2",
        "CC_LMS_JWT_JWK_SET": json.loads(RIGHT["CC_LMS_JWT_JWK_SET"]),
        "CC_CORS_ALLOWED_ORIGINS": ["https://orders.example.com"],
        "CC_LMS_SSO_CLIENT_ID": "sso",
        "CC_LMS_SSO_CLIENT_SECRET": "h6-2",
    }
    file.write_text(json.dumps(lines))
    shown = production(
        "JWT_AUTH",
        "CORS_ALLOWED_ORIGINS",
        "CSRF_TRUSTED_ORIGINS",
        "SOCIAL_AUTH_EDX_OAUTH2_KEY",
        "SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT",
        COMMERCE_COORDINATOR_CFG=str(file),
        CSRF_TRUSTED_ORIGINS="https://shop.example.com",
        **RIGHT,
    )
    assert shown["JWT_AUTH"]["JWT_ISSUERS"][0]["ISSUER"] == "https://other.example.com/oauth2"
    assert json.loads(shown["JWT_AUTH"]["JWT_PUBLIC_SIGNING_JWK_SET"]) == lines["CC_LMS_JWT_JWK_SET"]
    assert "JWT_PRIVATE_SIGNING_JWK" not in shown["JWT_AUTH"]
    assert shown["CORS_ALLOWED_ORIGINS"] == ["https://orders.example.com"]
    assert shown["CSRF_TRUSTED_ORIGINS"] == ["https://shop.example.com", "https://orders.example.com"]
    assert shown["SOCIAL_AUTH_EDX_OAUTH2_KEY"] == "sso"
    assert shown["SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT"] == "https://lms.example.com"


def test_only_workers_wait_for_the_broker():
    for role, patient in (("web", False), ("worker", True)):
        shown = production("CELERY_BROKER_TRANSPORT_OPTIONS", "CC_PUBLISH_TRANSPORT_OPTIONS", CC_ROLE=role, **RIGHT)
        publishing, consuming = shown["CC_PUBLISH_TRANSPORT_OPTIONS"], shown["CELERY_BROKER_TRANSPORT_OPTIONS"]
        assert publishing["socket_timeout"] < 0.5
        assert (consuming["socket_timeout"] >= 1) is patient
        # All sides must agree on this one, or messages come back too early.
        assert consuming["visibility_timeout"] == publishing["visibility_timeout"]


def test_djangos_own_check_for_production_is_clean():
    ended = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **RIGHT, **WANTED)
    assert ended.returncode == 0, ended.stderr


# --- The others ---


def test_local_settings_work_without_any_environment_and_say_their_own_secret(tmp_path):
    shown = run(
        "-c",
        SHOW,
        "CC_STRIPE_SECRETS",
        "CELERY_BROKER_URL",
        "CC_LMS_URL_ROOT",
        "DATABASES",
        DJANGO_SETTINGS_MODULE="commerce_coordinator.settings.local",
        CC_DATA=str(tmp_path / "new" / "folder"),
        CC_PORT="8150",
    )
    assert shown.returncode == 0, shown.stderr
    values = json.loads(shown.stdout)
    assert values["CC_STRIPE_SECRETS"] == {"": ["whsec_local"]}
    assert values["CELERY_BROKER_URL"] == "embedded://"
    assert values["CC_LMS_URL_ROOT"] == "http://localhost:8150/demo_lms"
    assert values["DATABASES"]["default"]["NAME"].startswith(str(tmp_path / "new" / "folder"))


def test_a_lease_is_longer_than_a_task_may_run():
    assert base.CELERY_TASK_SOFT_TIME_LIMIT < base.CELERY_TASK_TIME_LIMIT < base.CC_LEASE_SECONDS


def test_the_schedule_outlasts_a_day():
    assert sum(base.CC_RETRY_SCHEDULE) >= 27.5 * 3600
    assert list(base.CC_RETRY_SCHEDULE) == sorted(base.CC_RETRY_SCHEDULE)


def test_the_shipped_map_names_each_signal_and_receiver_once():
    for receivers in local.CC_SIGNALS.values():
        assert len(receivers) == len(set(receivers))
    assert set(routes.CC_SIGNALS).isdisjoint(routes.DEMO_SIGNALS)


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("sqlite:////data/x.sqlite3", "django.db.backends.sqlite3"),
        ("mysql://u:p@db:3306/name", "django.db.backends.mysql"),
        ("postgres://u:p@db/name", "django.db.backends.postgresql"),
    ],
)
def test_databases_are_tuned_by_their_url(url, engine):
    database = base.database(url)
    assert database["ENGINE"] == engine
    options = database.get("OPTIONS", {})
    if "mysql" in engine:
        assert options["isolation_level"] == "read committed" and options["charset"] == "utf8mb4"
        assert 0 < options["connect_timeout"] <= 3 and options["read_timeout"] == options["write_timeout"] > 0
    if "sqlite" in engine:
        assert options["transaction_mode"] == "IMMEDIATE" and "journal_mode=WAL" in options["init_command"]


def test_a_web_process_waits_less_for_its_database(monkeypatch):
    for url in ("sqlite:////data/x.sqlite3", "mysql://u:p@db/name"):
        waits = {}
        for role in ("web", "worker"):
            monkeypatch.setattr(base, "CC_ROLE", role)
            options = base.database(url)["OPTIONS"]
            waits[role] = options.get("timeout", options.get("read_timeout"))
        assert waits["web"] == 5 < waits["worker"]
