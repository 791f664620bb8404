"""Log-in through the LMS, the whole circle over real HTTP: this service, the stand-in's page, and back."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from social_django.models import UserSocialAuth

from commerce_coordinator.plugins.demo_lms.stand_in import identities

User = get_user_model()


class Browser(requests.Session):
    """Follows redirects and fills in forms, with a time-out for each call."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.root = root

    def open(self, path: str, **options: Any) -> requests.Response:
        return self.get(path if "://" in path else self.root + path, timeout=20, **options)

    def submit(self, page: requests.Response, **fields: str) -> requests.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text
        return self.post(page.url, {"csrfmiddlewaretoken": token[1], **fields}, timeout=20)

    def log_in(self, username: str, *, next: str = "/admin/", **fields: str) -> requests.Response:
        page = self.open("/login/", params={"next": next})
        assert "DEMO" in page.text, page.text
        return self.submit(page, username=username, **fields)


@pytest.fixture
def browser(transactional_db: None, live_server: Any, settings: Any) -> Browser:
    settings.SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT = f"{live_server.url}/demo_lms"
    settings.SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT = ""
    call_command("provision_stand_in", verbosity=0)
    return Browser(live_server.url)


def test_a_member_of_staff_comes_from_the_admin_to_the_lms_and_back(browser: Browser) -> None:
    page = browser.open("/admin/")
    assert page.url.startswith(browser.root + "/admin/login/")
    way = re.search(r'href="(/login/\?next=[^"]*)"', page.text)
    assert way and "Log in through the LMS" in page.text
    asked = browser.open(way[1])
    assert urlsplit(asked.url).path == "/demo_lms/oauth2/authorize"
    landed = browser.submit(asked, username="olga", staff="on")
    assert (landed.status_code, landed.url) == (200, browser.root + "/admin/")
    assert "olga" in landed.text
    olga = User.objects.get()
    assert (olga.is_staff, olga.is_superuser, olga.has_usable_password()) == (True, False, False)
    assert olga.lms_user_id == identities.user_id_of("olga")
    assert UserSocialAuth.objects.get().extra_data == {}, "no token of the LMS is kept"


def test_a_learner_is_logged_in_and_the_admin_stays_closed(browser: Browser) -> None:
    landed = browser.log_in("ada")
    assert landed.status_code == 200 and landed.url.startswith(browser.root + "/admin/login/")
    assert "not authorized" in landed.text and "Log out" in landed.text
    assert "Site administration" not in landed.text
    assert not User.objects.get().is_staff


def test_the_second_log_in_is_the_same_account_brought_up_to_date(browser: Browser) -> None:
    browser.log_in("olga", staff="on")
    again = Browser(browser.root).log_in("olga")
    assert "not authorized" in again.text
    assert [(each.username, each.is_staff) for each in User.objects.all()] == [("olga", False)]
    assert UserSocialAuth.objects.count() == 1


def test_out_of_this_service_is_out_of_the_admin(browser: Browser) -> None:
    browser.log_in("olga", staff="on")
    out = browser.open("/logout/")
    assert urlsplit(out.url).path == "/demo_lms/logout"
    assert "/admin/login/" in browser.open("/admin/").url


def test_a_local_superuser_still_logs_in_with_his_password(browser: Browser) -> None:
    User.objects.create_superuser("admin", "admin@localhost", "right")
    page = browser.open("/admin/login/?next=/admin/")
    assert browser.submit(page, username="admin", password="right", next="/admin/").url == browser.root + "/admin/"


def test_a_name_taken_on_the_lms_opens_no_local_account(browser: Browser) -> None:
    User.objects.create_superuser("admin", "admin@localhost", "right")
    refused = browser.log_in("admin", staff="on")
    assert refused.status_code == 403 and "Not logged in" in refused.text
    assert "/admin/login/" in browser.open("/admin/").url
    assert User.objects.get().lms_user_id is None


def test_an_account_that_is_switched_off_stays_out(browser: Browser) -> None:
    browser.log_in("olga", staff="on")
    User.objects.update(is_active=False)
    assert Browser(browser.root).log_in("olga", staff="on").status_code == 403


@pytest.mark.parametrize("query", ["code=x&state=y", "error=access_denied", "", "code=x"])
def test_a_way_back_that_nobody_began_is_a_page_and_no_traceback(browser: Browser, query: str) -> None:
    refused = browser.open(f"/complete/edx-oauth2/?{query}")
    assert refused.status_code == 403 and "Not logged in" in refused.text


def test_a_code_of_another_session_logs_nobody_in(browser: Browser) -> None:
    """Log-in CSRF: a victim's browser is sent to the attacker's way back."""
    asked = browser.open("/login/")
    token = re.search(r'value="([^"]+)"', asked.text)
    assert token
    sent = browser.post(
        asked.url, {"csrfmiddlewaretoken": token[1], "username": "eve"}, allow_redirects=False, timeout=20
    )
    victim = Browser(browser.root)
    assert victim.open(sent.headers["Location"]).status_code == 403
    assert not User.objects.exists()


def test_an_lms_that_is_away_is_a_503(browser: Browser, settings: Any) -> None:
    settings.SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT = settings.SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT
    settings.SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT = "http://127.0.0.1:9"
    assert browser.log_in("olga").status_code == 503


NASTY = [
    "https://evil.example.com/",
    "//evil.example.com/",
    "///evil.example.com/",
    "/\\evil.example.com/",
    "\\\\evil.example.com/",
    "https:evil.example.com",
    "http:///evil.example.com",
    "javascript:alert(1)",
    "\tjavascript:alert(1)",
    "\x00//evil.example.com",
    "https://localhost@evil.example.com/",
]


@pytest.mark.parametrize("wanted", NASTY)
def test_log_in_leads_to_no_other_host(browser: Browser, wanted: str) -> None:
    assert browser.log_in("ada", next=wanted).url == browser.root + "/"
    # He is logged in now: it goes on at once.
    assert browser.open("/login/", params={"next": wanted}).url == browser.root + "/"


def test_log_in_leads_back_with_the_query_kept(browser: Browser) -> None:
    assert browser.log_in("ada", next="/health/?a=1&b=2").url == browser.root + "/health/?a=1&b=2"


@pytest.mark.django_db
def test_without_a_client_for_it_log_in_is_with_a_password(client: Client, settings: Any) -> None:
    settings.CC_LMS_SSO_CLIENT_ID = ""
    response = client.get("/login/?next=/admin/")
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/login/?next=/admin/")
    assert client.get("/logout/").headers["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/complete/google-oauth2/", "/complete/x/", "/login/edx-oauth2/", "/disconnect/x/"])
def test_no_other_way_in_is_there(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


# --- The stand-in's side ---

AUTHORIZE = "/demo_lms/oauth2/authorize"
RIGHT = {
    "client_id": "commerce-coordinator-sso",
    "redirect_uri": "http://testserver/complete/edx-oauth2/",
    "response_type": "code",
    "state": "s",
}


@pytest.fixture
def provisioned(db: None) -> None:
    call_command("provision_stand_in", verbosity=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody"},
        {"client_id": ""},
        {"client_id": "\x00"},
        {"redirect_uri": "https://evil.example.com/complete/edx-oauth2/"},
        {"redirect_uri": "http://testserver/elsewhere/"},
        {"redirect_uri": "http://["},
        {"redirect_uri": ""},
        {"response_type": "token"},
    ],
)
def test_a_wrong_request_is_not_sent_anywhere(provisioned: None, client: Client, changes: dict[str, str]) -> None:
    query = {**RIGHT, **changes}
    assert client.get(AUTHORIZE, query).status_code == 400
    assert client.post(AUTHORIZE, {"username": "ada"}, query_params=query).status_code == 400


@pytest.mark.parametrize("username", ["", "unknown-ada", "a b", "a\x00"])
def test_a_user_whom_the_lms_does_not_know_gets_no_code(provisioned: None, client: Client, username: str) -> None:
    assert client.post(AUTHORIZE, {"username": username}, query_params=RIGHT).status_code == 400


def exchange(client: Client, code: str, **changes: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "client_id": RIGHT["client_id"],
        "client_secret": "commerce-coordinator-sso-secret",
        "redirect_uri": RIGHT["redirect_uri"],
        "token_type": "jwt",
        "code": code,
        **changes,
    }
    return client.post("/demo_lms/oauth2/access_token", form)


def test_a_code_is_good_once_for_its_client_and_its_way_back_and_a_minute(provisioned: None, client: Client) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        sent = client.post(AUTHORIZE, {"username": "ada"}, query_params=RIGHT)
        query = parse_qs(urlsplit(sent.headers["Location"]).query)
        code = query["code"][0]
        assert query["state"] == ["s"]
        assert exchange(client, code, redirect_uri="http://testserver/").json() == {"error": "invalid_grant"}
        assert exchange(client, code + "x").json() == {"error": "invalid_grant"}
        assert exchange(client, code, client_secret="wrong").status_code == 401
        assert exchange(client, code).json()["token_type"] == "JWT"
        assert exchange(client, code).json() == {"error": "invalid_grant"}, "once"
        sent = client.post(AUTHORIZE, {"username": "ada"}, query_params=RIGHT)
        late = parse_qs(urlsplit(sent.headers["Location"]).query)["code"][0]
        clock.shift(61)
        assert exchange(client, late).json() == {"error": "invalid_grant"}


@pytest.mark.django_db
def test_a_learners_token_is_the_lmss(client: Client) -> None:
    def ask(**body: Any) -> Any:
        return client.post("/demo_lms/learner_token/", body, content_type="application/json")

    answer = ask(username="ada", staff=True, lms_user_id=5).json()
    assert answer["token_type"] == "JWT"
    assert client.post("/demo_lms/learner_token/", "{", content_type="application/json").status_code == 400
    assert ask(username="ada").status_code == 200
    for wrong in ({}, {"username": 5}, {"username": "a", "staff": "yes"}, {"username": "a", "lms_user_id": 0}):
        assert ask(**wrong).status_code == 400
    from commerce_coordinator.accounts.tokens import decode

    claims = decode(answer["access_token"])
    assert (claims["preferred_username"], claims["administrator"], claims["user_id"]) == ("ada", True, 5)
