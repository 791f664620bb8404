"""The operator's file and production's demands: all complaints at once, each naming a setting, none showing a value."""

import json
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import RSAAlgorithm

from commerce_coordinator.settings import base, operator, yaml_file

PLUGINS = "commerce_coordinator.plugins"
LONG = "k3" * 30
PRIVATE: dict[str, Any] = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)
PUBLIC = {"kty": "RSA", "kid": "a", "n": PRIVATE["n"], "e": PRIVATE["e"]}

RIGHT = {
    "INSTALLED_APPS": [f"{PLUGINS}.stripe", f"{PLUGINS}.lms"],
    "SECRET_KEY": LONG,
    "ALLOWED_HOSTS": ["shop.example.com"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.mysql", "PASSWORD": "d7!xW", "PORT": "", "OPTIONS": {}}},
    "CELERY_BROKER_URL": "redis://cache:6379/0",
    "CC_STRIPE_SECRETS": {"": ["whsec_9Xk2", "whsec_7Pm4"], "eu": ["whsec_3Qn8"]},
    "CC_STRIPE_TOLERANCE": 300,
    "CC_LMS_URL_ROOT": "https://lms.example.com",
    "CC_LMS_CLIENT_ID": "coordinator",
    "CC_LMS_CLIENT_SECRET": "j4Hs-91",
    "CC_LMS_JWT_ISSUER": "https://lms.example.com/oauth2",
    "CC_LMS_JWT_AUDIENCE": "openedx",
    "CC_LMS_JWT_JWK_SET": json.dumps({"keys": [PUBLIC]}),
}

DEMANDED = [name for name in RIGHT if name not in ("INSTALLED_APPS", "CC_STRIPE_TOLERANCE")]


def complaints(**changes):
    return operator.complaints({**RIGHT, **changes})


# --- What production demands ---


def test_what_is_right_is_no_reason_to_complain():
    assert complaints() == []


@pytest.mark.parametrize("name", DEMANDED)
@pytest.mark.parametrize("value", ["", None, {}])
def test_each_demanded_setting_is_missed_by_name_with_a_remedy(name, value):
    (complaint,) = complaints(**{name: value})
    assert complaint.startswith(f"{name} is not set. ")
    assert len(complaint) > len(f"{name} is not set. ") + 10


def test_a_setting_that_is_not_there_at_all_is_missed():
    (complaint,) = operator.complaints({name: value for name, value in RIGHT.items() if name != "SECRET_KEY"})
    assert complaint.startswith("SECRET_KEY is not set. ")


def test_all_complaints_come_at_once():
    found = operator.complaints({"INSTALLED_APPS": RIGHT["INSTALLED_APPS"]})
    assert [complaint.split()[0] for complaint in found] == DEMANDED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "local-secret-key-never-used-in-production"),
        ("SECRET_KEY", "ChangeMe"),
        ("CC_STRIPE_SECRETS", {"": ["whsec_local"]}),
        ("CC_STRIPE_SECRETS", {"": ["whsec_9Xk2"], "eu": ["whsec_3Qn8", "WHSEC_LOCAL"]}),
        ("CC_LMS_CLIENT_SECRET", "local-lms-secret"),
        ("DATABASES", {"default": {"PASSWORD": "password"}}),
    ],
)
def test_a_value_that_stands_in_the_repository_is_no_secret(name, value):
    (complaint,) = complaints(**{name: value})
    assert complaint.startswith(f"{name} is a value that everybody knows. ")


def test_local_settings_use_only_values_that_production_refuses():
    from commerce_coordinator.settings import local

    found = operator.complaints(
        {
            **RIGHT,
            **{name: getattr(local, name) for name in ("SECRET_KEY", "CC_STRIPE_SECRETS", "CC_LMS_CLIENT_SECRET")},
        }
    )
    assert [complaint.split()[0] for complaint in found] == ["SECRET_KEY", "CC_STRIPE_SECRETS", "CC_LMS_CLIENT_SECRET"]


@pytest.mark.parametrize(
    "secrets",
    [
        {"": []},
        {"": [""]},
        {"": ["whsec_9Xk2", ""]},
        {"": ["whsec_9Xk2"], "eu": []},
        {"": [None]},
        {"": None},
        # A text is a list of its letters, each of which would count as a secret.
        {"": "whsec_9Xk2"},
        ["whsec_9Xk2"],
        "whsec_9Xk2",
    ],
)
def test_a_secret_that_anybody_could_sign_with_is_refused(secrets):
    (complaint,) = complaints(CC_STRIPE_SECRETS=secrets)
    assert complaint.startswith("CC_STRIPE_SECRETS ")
    assert "9Xk2" not in complaint


def test_a_short_key_is_refused():
    (complaint,) = complaints(SECRET_KEY="hunter2")
    assert complaint.startswith("SECRET_KEY is shorter than 50 characters.")
    assert complaints(SECRET_KEY="x" * 50) == []


@pytest.mark.parametrize("url", ["embedded://", "memory://", "filesystem://"])
def test_a_laptops_broker_is_refused(url):
    (complaint,) = complaints(CELERY_BROKER_URL=url)
    assert complaint.startswith("CELERY_BROKER_URL names a broker for laptops.")


@pytest.mark.parametrize("seconds", [0, -1])
def test_switching_the_timestamps_check_off_is_refused(seconds):
    (complaint,) = complaints(CC_STRIPE_TOLERANCE=seconds)
    assert complaint.startswith("CC_STRIPE_TOLERANCE must be ")


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEY", 12345), ("CC_STRIPE_TOLERANCE", "300"), ("CC_STRIPE_TOLERANCE", None)],
)
def test_a_value_of_another_type_is_a_complaint_and_no_crash(name, value):
    """YAML makes numbers of digits, and texts of quoted ones."""
    (complaint,) = complaints(**{name: value})
    assert complaint.startswith(f"{name} ")


@pytest.mark.parametrize(
    ("left_out", "not_demanded"),
    [("stripe", {"CC_STRIPE_SECRETS"}), ("lms", {name for name in DEMANDED if name.startswith("CC_LMS_")})],
)
def test_a_plugin_that_is_left_out_demands_nothing(left_out, not_demanded):
    apps = [app for app in RIGHT["INSTALLED_APPS"] if not app.endswith(left_out)]
    found = operator.complaints({"INSTALLED_APPS": apps})
    assert [complaint.split()[0] for complaint in found] == [name for name in DEMANDED if name not in not_demanded]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("{hunter2", "is no JSON"),
        ("[]", "must be a set of keys"),
        ('"hunter2"', "must be a set of keys"),
        ("5", "must be a set of keys"),
        ({"keys": []}, "must be a set of keys"),
        ({"keys": {"hunter2": 1}}, "must be a set of keys"),
        ({"keys": ["hunter2"]}, "must be a set of keys"),
        ({"keys": [PUBLIC, {"kty": "oct", "k": "hunter2"}]}, "may hold RSA keys only"),
        ({"keys": [PRIVATE]}, "has a private key in it"),
        ({"keys": [{**PUBLIC, "n": "hunter2!"}]}, "has a key in it that is"),
        ({"keys": [{"kty": "RSA"}]}, "has a key in it that is none"),
        ({"keys": [{**PUBLIC, "n": 5}]}, "has a key in it that is none"),
    ],
)
@pytest.mark.parametrize("form", [json.dumps, lambda keys: keys])
def test_a_key_set_that_verifies_nothing_or_tells_too_much_is_refused(keys: Any, complaint: str, form: Any) -> None:
    (found,) = complaints(CC_LMS_JWT_JWK_SET=keys if isinstance(keys, str) else form(keys))
    assert found.startswith(f"CC_LMS_JWT_JWK_SET {complaint}")
    assert "hunter2" not in found and str(PRIVATE["d"]) not in found


def test_a_key_set_may_stand_as_a_mapping_in_the_file() -> None:
    assert complaints(CC_LMS_JWT_JWK_SET={"keys": [PUBLIC]}) == []


def test_a_client_for_log_in_is_whole_or_not_there() -> None:
    assert complaints(CC_LMS_SSO_CLIENT_ID="sso", CC_LMS_SSO_CLIENT_SECRET="h6-2") == []
    (found,) = complaints(CC_LMS_SSO_CLIENT_ID="sso")
    assert found.startswith("CC_LMS_SSO_CLIENT_ID is set alone.")
    (found,) = complaints(CC_LMS_SSO_CLIENT_ID="sso", CC_LMS_SSO_CLIENT_SECRET="commerce-coordinator-sso-secret")
    assert found.startswith("CC_LMS_SSO_CLIENT_SECRET is a value that everybody knows.")


@pytest.mark.parametrize("rate", ["120", "x/min", "0/min", 120, ["1/s"]])
def test_a_rate_that_is_none_is_refused(rate: Any) -> None:
    (found,) = complaints(CC_THROTTLE_USER=rate)
    assert found.startswith("CC_THROTTLE_USER must be calls per unit")
    assert complaints(CC_THROTTLE_USER="", CC_THROTTLE_ANONYMOUS="1/s") == []


def test_rates_are_told_apart_as_the_throttle_does() -> None:
    from commerce_coordinator.core.rest import throttles

    assert throttles._RATE.pattern.replace("(", "").replace(")", "") == operator.RATE.pattern.replace("(", "").replace(
        ")", ""
    )


@pytest.mark.parametrize("origins", ["https://a.example.com", ["*"], ["orders.example.com"], ["https://a/x"], [None]])
def test_only_named_origins_may_call_with_cookies(origins: Any) -> None:
    (found,) = complaints(CC_CORS_ALLOWED_ORIGINS=origins)
    assert found.startswith("CC_CORS_ALLOWED_ORIGINS must be a list of origins")
    assert complaints(CC_CORS_ALLOWED_ORIGINS=["https://orders.example.com", "http://localhost:1998"]) == []


def test_no_complaint_shows_a_value():
    values = {
        "SECRET_KEY": "hunter2",
        "CELERY_BROKER_URL": "memory://:hunter2@",
        "CC_STRIPE_SECRETS": {"": ["hunter2", "secret"]},
        "DATABASES": {"default": {"PASSWORD": "changeme", "USER": "hunter2"}},
    }
    found = complaints(**values)
    assert len(found) == 4
    assert "hunter2" not in str(found) and "changeme" not in str(found)


# --- The YAML file ---


@pytest.fixture
def file(tmp_path):
    return tmp_path / "coordinator.yml"


def test_settings_are_read_from_yaml(file):
    hosts, secrets = "ALLOWED_HOSTS: [shop.example.com]", 'CC_STRIPE_SECRETS: {"": [whsec_ü]}'
    file.write_text(f"CC_RETENTION_DAYS: 30\n{hosts}\n{secrets}\n", "utf-8")
    assert operator.read(file) == {
        "CC_RETENTION_DAYS": 30,
        "ALLOWED_HOSTS": ["shop.example.com"],
        "CC_STRIPE_SECRETS": {"": ["whsec_ü"]},
    }


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_file_sets_nothing(file, text):
    file.write_text(text)
    assert operator.read(file) == {}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param(b"SECRET_KEY: [hunter2\nX: 1", "(line 2, column 2)", id="not closed"),
        pytest.param(b"SECRET_KEY: hunter2: x", "(line 1, column 20)", id="two colons"),
        pytest.param(b"A: &hunter2 1\nB: *hunter3", "(line 2, column 4)", id="an alias of nothing"),
        pytest.param(b"{hunter2: {[]: 1}}", "(line 1, column", id="an impossible key"),
        pytest.param(b"SECRET_KEY: hunter2\xff", "(its encoding is not UTF-8)", id="latin-1"),
        pytest.param(b"SECRET_KEY: hunter2\x00", "is not valid YAML (", id="a zero byte"),
        pytest.param(b"SECRET_KEY: hunter2\nSINCE: 2026-13-45", "is not valid YAML (", id="an impossible date"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused_by_its_place_and_not_quoted(file, content, place):
    file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured) as refused:
        operator.read(file)
    assert str(refused.value).startswith(f"COMMERCE_COORDINATOR_CFG: {file} is not valid YAML (")
    assert place in str(refused.value)
    assert "hunter" not in str(refused.value)
    # A traceback that shows the parser's own error quotes the file.
    assert refused.value.__suppress_context__ and refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "A: 1\nB: !!python/object:os.hunter2 {}",
            "has the tag tag:yaml.org,2002:python/object:os.hunter2 (line 2, column 4)",
        ),
        ("A: !!set {hunter2}", "has the tag tag:yaml.org,2002:set (line 1, column 4)"),
        ("A: [!mine hunter2]", "has the tag !mine (line 1, column 5)"),
        ("A: !!str hunter2", "has the tag tag:yaml.org,2002:str (line 1, column 4)"),
    ],
)
def test_a_tag_is_refused_by_its_place(file, content, told):
    file.write_text(content)
    with pytest.raises(ImproperlyConfigured) as refused:
        operator.read(file)
    assert str(refused.value).startswith(f"COMMERCE_COORDINATOR_CFG: {file} {told}")
    assert str(refused.value).endswith("(cc.E029).")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("A: 1\nB: 2\nA: hunter2", "has the key A twice (line 3, column 1)"),
        ("CC_SIGNALS:\n  a.b: []\n  a.b: [hunter2]", "has the key a.b twice (line 3, column 3)"),
        ("A: [{x: 1, x: hunter2}]", "has the key x twice (line 1, column 12)"),
    ],
)
def test_a_key_that_stands_twice_is_refused_by_its_place(file, content, told):
    file.write_text(content)
    with pytest.raises(ImproperlyConfigured) as refused:
        operator.read(file)
    assert str(refused.value).startswith(f"COMMERCE_COORDINATOR_CFG: {file} {told}")
    assert str(refused.value).endswith("(cc.E028).")
    assert "hunter2" not in str(refused.value)


def test_anchors_and_merges_are_no_mistakes(file):
    file.write_text("A: &receivers [x.y]\nCC_SIGNALS:\n  a.b: *receivers\n  c.d: *receivers\n")
    assert operator.read(file)["CC_SIGNALS"] == {"a.b": ["x.y"], "c.d": ["x.y"]}


def test_lists_in_lists_without_end_are_refused(file):
    file.write_text("A: " + "[" * 5000)
    with pytest.raises(ImproperlyConfigured, match=r"is not valid YAML \("):
        operator.read(file)


def test_alias_inside_of_what_it_stands_for_is_refused_by_its_place(file):
    file.write_text("A: 1\nCC_SIGNALS:\n  a.b: &all [x.y, *all]\n")
    with pytest.raises(ImproperlyConfigured, match=r"an alias inside of what it stands for \(line 3, column 8\)"):
        operator.read(file)


def test_aliases_that_stand_for_a_billion_values_are_refused_before_they_are_read(file):
    lines = ["A0: &a0 x", *(f"A{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))]
    file.write_text("\n".join(lines))
    with pytest.raises(ImproperlyConfigured, match=r"stands for more than 200,000 values; use fewer aliases \(cc"):
        operator.read(file)
    file.write_text("\n".join(lines[:6]))
    assert len(operator.read(file)["A5"]) == 10


def test_file_that_is_too_long_to_be_one_is_refused_unread(file):
    file.write_text("A: " + "x" * yaml_file.LONGEST)
    with pytest.raises(ImproperlyConfigured, match=r"has more than 2,000,000 characters"):
        operator.read(file)


@pytest.mark.parametrize("text", ["A: 2026-13-45", "A: " + "9" * 5000])
def test_day_or_number_that_cannot_be_is_refused(file, text):
    file.write_text(text)
    with pytest.raises(ImproperlyConfigured, match=r"is not valid YAML \(a date or number that cannot be\) \(cc.E033"):
        operator.read(file)


@pytest.mark.parametrize(
    "text", ["- hunter2", "hunter2", "7", "secret_key: hunter2", "1: hunter2", "on: hunter2", "Secret_Key: hunter2"]
)
def test_a_file_that_maps_no_settings_is_refused_and_not_quoted(file, text):
    file.write_text(text)
    with pytest.raises(ImproperlyConfigured) as refused:
        operator.read(file)
    assert str(refused.value).startswith(f"COMMERCE_COORDINATOR_CFG: {file} must map names of settings, in capitals,")
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused_by_name(file):
    with pytest.raises(ImproperlyConfigured) as refused:
        operator.read(file)
    assert str(refused.value) == f"COMMERCE_COORDINATOR_CFG: {file} cannot be read: No such file or directory."


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read: Is a directory\.$"):
        operator.read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused_by_name(file):
    file.write_text("SECRET_KEY: hunter2")
    file.chmod(0)
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read: Permission denied\.$"):
        operator.read(file)


# --- Putting it over the settings ---


def test_the_map_is_merged_signal_by_signal_and_all_else_replaced():
    settings = {
        "CC_SIGNALS": {"shop.sold": ["a.note", "a.print"], "shop.given": ["a.note"]},
        "CC_STRIPE_SECRETS": {"": ["old"], "eu": ["old"]},
        "CC_RETENTION_DAYS": 90,
    }
    shipped = settings["CC_SIGNALS"]
    loaded = {
        "CC_SIGNALS": {"shop.sold": ["b.note"], "other.happened": []},
        "CC_STRIPE_SECRETS": {"": ["new"]},
        "EMAIL_HOST": "mail",
    }
    operator.apply(loaded, settings)
    assert settings == {
        "CC_SIGNALS": {"shop.sold": ["b.note"], "shop.given": ["a.note"], "other.happened": []},
        "CC_STRIPE_SECRETS": {"": ["new"]},
        "CC_RETENTION_DAYS": 90,
        "EMAIL_HOST": "mail",
    }
    # The shipped map itself is untouched.
    assert shipped == {"shop.sold": ["a.note", "a.print"], "shop.given": ["a.note"]}


def test_filters_are_merged_one_by_one():
    shipped = {"a.v1": {"fail_silently": False, "pipeline": ["a.One", "a.Two"]}, "b.v1": {"pipeline": ["b.One"]}}
    settings = {"OPEN_EDX_FILTERS_CONFIG": shipped}
    operator.apply({"OPEN_EDX_FILTERS_CONFIG": {"a.v1": {"pipeline": ["c.One"]}}}, settings)
    # The filter's whole entry is the operator's: what he leaves out is not there, and the check of the map says so.
    assert settings == {"OPEN_EDX_FILTERS_CONFIG": {"a.v1": {"pipeline": ["c.One"]}, "b.v1": {"pipeline": ["b.One"]}}}
    assert shipped["a.v1"]["pipeline"] == ["a.One", "a.Two"]


@pytest.mark.parametrize("wrong", [None, [], "shop.sold"])
def test_a_map_that_is_none_is_left_to_the_check_of_the_map(wrong):
    from commerce_coordinator.core.signals import routes

    settings = {"CC_SIGNALS": {"shop.sold": []}}
    operator.apply({"CC_SIGNALS": wrong}, settings)
    assert settings["CC_SIGNALS"] == wrong
    if wrong is not None:
        assert "cc.E009" in {mistake.id for mistake in routes.read(settings["CC_SIGNALS"]).mistakes}


def test_a_databases_url_becomes_the_database():
    settings = {"DATABASES": {}, "database": lambda url: {"from": url}}
    operator.apply({"DATABASE_URL": "mysql://u:p@db/name"}, settings)
    assert settings["DATABASES"] == {"default": {"from": "mysql://u:p@db/name"}}
    assert "DATABASE_URL" not in settings


def test_a_name_that_only_the_environment_can_give_is_refused_in_the_file():
    with pytest.raises(ImproperlyConfigured, match="CC_LOG_LEVEL, CC_TASK_TIME_LIMIT must be set in the environment"):
        operator.apply({"CC_TASK_TIME_LIMIT": 30, "CC_LOG_LEVEL": "DEBUG"}, {})


def test_a_name_that_is_no_setting_is_refused():
    with pytest.raises(ImproperlyConfigured, match=r"no setting CC_RETENTION_DAY \(did you mean CC_RETENTION_DAYS\?\)"):
        operator.apply({"CC_RETENTION_DAY": 30}, {"CC_RETENTION_DAYS": 90})


@pytest.mark.parametrize(
    ("present", "value", "told"),
    [
        (90, "hunter2", "a whole number"),
        (90, None, "a whole number"),
        (90, True, "a whole number"),
        (90, 1.5, "a whole number"),
        (0.05, "hunter2", "a number"),
        (False, "hunter2", "true or false"),
        (False, 0, "true or false"),
        ("text", 7, "a text; put it into quotes"),
        ("text", ["hunter2"], "a text; put it into quotes"),
        ([], "hunter2", "a list"),
        ((), {"hunter2": 1}, "a list"),
        ({}, ["hunter2"], "a map"),
    ],
)
def test_a_value_of_another_kind_than_its_setting_is_refused_and_not_shown(present, value, told):
    with pytest.raises(ImproperlyConfigured) as refused:
        operator.apply({"EMAIL_X": value}, {"EMAIL_X": present})
    assert str(refused.value) == f"COMMERCE_COORDINATOR_CFG: EMAIL_X must be {told}."


def test_values_of_a_wrong_kind_are_told_all_at_once():
    with pytest.raises(ImproperlyConfigured, match="A must be a list; B must be a whole number"):
        operator.apply({"A": 1, "B": []}, {"A": [], "B": 1})


@pytest.mark.parametrize(
    ("present", "value"), [(0.05, 1), ([], []), ((), [1]), (None, 7), (None, "x"), ({}, {}), ("", ""), (True, False)]
)
def test_a_value_of_its_settings_kind_is_taken(present, value):
    settings = {"EMAIL_X": present}
    operator.apply({"EMAIL_X": value, "NEW": object}, settings)
    assert settings["EMAIL_X"] == value


@pytest.mark.parametrize("schedule", [[], [5, "5"], [-1], [True], [float("inf")], [float("nan")]])
def test_a_schedule_is_a_list_of_seconds(schedule):
    with pytest.raises(ImproperlyConfigured, match="CC_RETRY_SCHEDULE must be a list of seconds"):
        operator.apply({"CC_RETRY_SCHEDULE": schedule}, {"CC_RETRY_SCHEDULE": (5.0,)})


def test_all_settings_of_the_documentation_are_of_a_kind_that_a_file_can_give():
    """Those that stand there by their own complaint may be of several."""
    shown = {name: getattr(base, name) for name in dir(base) if name.startswith("CC_")}
    operator.apply({name: value for name, value in shown.items() if name not in operator.ENVIRONMENT_ONLY}, {**shown})


@pytest.mark.parametrize("url", ["hunter2", "nope://u:hunter2@h/n", 7, "", "mysql://u:hunter2@h:port/n"])
def test_a_databases_url_that_is_none_is_refused_and_not_shown(url):
    with pytest.raises(ImproperlyConfigured) as refused:
        base.database(url)
    assert str(refused.value) == "DATABASE_URL must be such as mysql://user:password@host:port/name."


@pytest.mark.parametrize(
    ("name", "value"),
    [("CC_STRIPE_LIVEMODE", "true"), ("CC_STRIPE_LIVEMODE", 1), ("CC_RETENTION_DAYS", 0), ("CC_RETENTION_DAYS", "90")],
)
def test_a_value_that_would_lose_payments_in_silence_is_complained_of(name, value):
    told = operator.complaints({"INSTALLED_APPS": ["commerce_coordinator.plugins.stripe"], name: value})
    assert [each for each in told if each.startswith(name)]


def test_what_the_databases_url_says_of_tls_is_kept():
    options = base.database("mysql://u:p@h/n?ssl_mode=REQUIRED")["OPTIONS"]
    assert (options["ssl_mode"], options["charset"]) == ("REQUIRED", "utf8mb4")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1"])
def test_publishing_does_not_wait_for_a_broker_that_is_down(url):
    _, publishing = base.broker(url)
    assert (publishing["max_retries"], publishing["interval_start"]) == (0, 0)


# --- What belongs to tests ---


def test_production_does_not_start_with_fuses(monkeypatch):
    monkeypatch.setenv("CC_CRASH_FUSES", "/somewhere")
    (complaint,) = complaints()
    assert complaint.startswith("CC_CRASH_FUSES is set: ")
    assert "/somewhere" not in complaint


def test_an_empty_variable_of_fuses_is_none(monkeypatch):
    monkeypatch.setenv("CC_CRASH_FUSES", "")
    assert complaints() == []
