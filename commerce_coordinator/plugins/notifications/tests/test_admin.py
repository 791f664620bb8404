"""The preview: every mail in every language, for those who may see it, and shut up like a mail of a stranger."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from .. import languages, mails

pytestmark = pytest.mark.django_db

NAMES = sorted(mails.MAILS)
LIST = "/admin/notifications/mailpreview/"


def client_of(*permissions: str, staff: bool = True, superuser: bool = False) -> Client:
    user: Any = get_user_model().objects.create_user("olive", is_staff=staff, is_superuser=superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def pages() -> list[str]:
    below = [reverse("admin:notifications_mailpreview_mail", args=[name, "de"]) for name in NAMES]
    return [LIST, *below, *(f"{page}html/" for page in below)]


def test_list_is_linked_from_the_admin_and_leads_to_each_mail_in_each_language() -> None:
    client = client_of("view_mailpreview")
    assert f'href="{LIST}"' in client.get("/admin/").content.decode()
    content = client.get(LIST).content.decode()
    links = set(re.findall(rf'href="({LIST}[^"]+)"', content))
    assert links == {f"{LIST}{name}/{language}/" for name in NAMES for language in languages.available()}
    assert {client.get(link).status_code for link in links} == {200}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "de"])
def test_page_shows_subject_text_and_html(name: str, language: str) -> None:
    client = client_of("view_mailpreview")
    page = client.get(f"{LIST}{name}/{language}/")
    rendered = page.context["rendered"]
    content = page.content.decode()
    assert f"<strong>{rendered.subject}</strong>" in content
    first_line = rendered.text.splitlines()[0]
    assert first_line in content
    frames = re.findall(r"<iframe ([^>]*)>", content)
    assert len(frames) == 2
    assert all('sandbox=""' in frame and f'src="{LIST}{name}/{language}/html/"' in frame for frame in frames)
    html = client.get(f"{LIST}{name}/{language}/html/")
    assert html.content.decode() == rendered.html
    # Invented addresses only.
    assert set(re.findall(r"[\w.+-]+@[\w.-]+", rendered.text + rendered.html)) <= {"learner@example.com"}


def test_html_alone_may_do_nothing() -> None:
    answer = client_of("view_mailpreview").get(f"{LIST}order_confirmation/en/html/")
    policy = answer["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert "sandbox" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "script" not in answer.content.decode()


@pytest.mark.parametrize("name", NAMES)
def test_html_fetches_nothing_and_is_no_wider_than_a_mail(name: str) -> None:
    html = client_of("view_mailpreview").get(f"{LIST}{name}/en/html/").content.decode()
    assert not re.search(r"<(?:img|link|script|iframe|form)\b|url\(|@import", html)
    assert "max-width:600px" in html
    assert 'name="viewport"' in html


@pytest.mark.parametrize("address", pages())
def test_page_takes_staff_with_the_permission(address: str) -> None:
    assert Client().get(address).status_code == 302
    assert client_of(staff=True).get(address).status_code == 403


@pytest.mark.parametrize("address", pages())
def test_permission_without_staff_is_not_enough(address: str) -> None:
    assert client_of("view_mailpreview", staff=False).get(address).status_code == 302


def test_superuser_may() -> None:
    client = client_of(superuser=True)
    assert {client.get(address).status_code for address in pages()} == {200}


@pytest.mark.parametrize("below", ["nothing/en/", "order_confirmation/xx/", "order_confirmation/xx/html/", "1/change/"])
def test_mail_or_language_that_there_is_not_is_not_found(below: str) -> None:
    assert client_of("view_mailpreview").get(f"{LIST}{below}").status_code == 404


def test_broken_template_of_an_operator_is_named(settings, tmp_path) -> None:
    folder = tmp_path / "notifications"
    folder.mkdir()
    (folder / "order_held.txt").write_text("{% blocktranslate %}never closed")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    client = client_of("view_mailpreview")
    page = client.get(f"{LIST}order_held/en/")
    assert page.status_code == 200
    assert "This mail cannot be made: TemplateSyntaxError" in page.content.decode()
    assert client.get(f"{LIST}order_held/en/html/").status_code == 500


def test_operators_own_template_stands_in_for_ours(settings, tmp_path) -> None:
    folder = tmp_path / "notifications"
    folder.mkdir()
    (folder / "order_held.txt").write_text("Ours: {{ about }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    page = client_of("view_mailpreview").get(f"{LIST}order_held/en/")
    assert page.context["rendered"].text == "Ours: EDX-100042\n"


def test_nobody_adds_changes_or_posts() -> None:
    client = client_of(superuser=True)
    assert client.get(f"{LIST}add/").status_code == 404
    assert "/mailpreview/add/" not in client.get("/admin/").content.decode()


def test_pages_ask_for_the_user_alone(django_assert_max_num_queries) -> None:
    client = client_of("view_mailpreview")
    for address in pages()[:2]:
        with django_assert_max_num_queries(4):  # session, user, permissions of user and of groups
            client.get(address)
