"""The tests' browser shows what a page is to people, and says what is wrong with it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from commerce_coordinator.console.supervisor import free_port

from .. import Browser, BrowserFailed
from ..png import is_blank

pytestmark = pytest.mark.needs_chromium

PAGES = {
    "/": """<!doctype html><title>Shop</title><h1>Books</h1><p hidden>secret</p>
        <style>body { background: #fff } @media (prefers-color-scheme: dark) { body { background: #123456 } }</style>
        <nav aria-label="Ways"><a href="/second">To the <em>second</em></a></nav>
        <form action="/second"><label>Title <input id="title" name="q" value="old" required></label>
        <button type="button" disabled>Buy</button></form><details><summary>More</summary>Fine print</details>""",
    "/second": "<!doctype html><title>Second</title><p>You came",
    "/broken": "<!doctype html><title>Broken</title><script>undefinedFunction()</script><img src=/gone.png>",
    "/blank": "<!doctype html><title>Blank</title>",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path.partition("?")[0])
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path == "/":
            self.send_header("Set-Cookie", "seen=yes")
        self.end_headers()
        self.wfile.write((page or "gone").encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_text_is_what_a_person_reads(browser: Browser, shop: str) -> None:
    page = browser.page()
    page.open(f"{shop}/")
    assert page.title == "Shop"
    assert "Books" in page.text()
    assert "secret" not in page.text()
    with pytest.raises(BrowserFailed, match="No element fits"):
        page.text("#nowhere")


def test_screen_reader_is_told_roles_names_and_states(browser: Browser, shop: str) -> None:
    page = browser.page()
    page.open(f"{shop}/")
    lines = page.accessible().splitlines()
    assert 'heading "Books" (level 1)' in lines
    place = lines.index('navigation "Ways"')
    assert lines[place + 1].startswith('  link "To the second"')
    told = page.accessible()
    assert 'textbox "Title" (required' in told
    assert 'button "Buy" (disabled)' in told
    assert "secret" not in told


def test_keyboard_alone_fills_the_form_and_sends_it(browser: Browser, shop: str) -> None:
    page = browser.page()
    page.open(f"{shop}/")
    for _ in range(2):
        page.press("Tab")
    assert page.evaluate("document.activeElement.id") == "title"
    assert "focused" in next(line for line in page.accessible().splitlines() if "textbox" in line)
    page.press("a")
    with page.going():
        page.press("Enter")
    assert page.url == f"{shop}/second?q=a"
    assert "You came" in page.text()


def test_mouse_follows_a_link(browser: Browser, shop: str) -> None:
    page = browser.page()
    page.open(f"{shop}/")
    with page.going():
        page.click("a")
    assert page.title == "Second"


def test_theme_and_width_are_the_persons(browser: Browser, shop: str, tmp_path: Path) -> None:
    for dark, colour in ((False, "rgb(255, 255, 255)"), (True, "rgb(18, 52, 86)")):
        page = browser.page(width=700, dark=dark)
        page.open(f"{shop}/")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == colour
        assert page.evaluate("innerWidth") == 700
        page.screenshot(tmp_path / "shop.png")
        assert not is_blank(tmp_path / "shop.png")


def test_picture_of_an_empty_page_is_blank(browser: Browser, shop: str, tmp_path: Path) -> None:
    page = browser.page()
    page.open(f"{shop}/blank")
    page.screenshot(tmp_path / "blank.png")
    assert is_blank(tmp_path / "blank.png")


def test_what_is_broken_is_told(browser: Browser, shop: str) -> None:
    page = browser.page()
    page.open(f"{shop}/broken")
    page.wait_for(expression="document.readyState == 'complete'")
    told = "\n".join(page.problems)
    assert "undefinedFunction is not defined" in told
    assert "/gone.png" in told
    with pytest.raises(BrowserFailed, match="Not within 1 s"):
        page.wait_for("what never comes", seconds=1)
    with pytest.raises(BrowserFailed, match="ERR_CONNECTION_REFUSED"):
        page.open(f"http://127.0.0.1:{free_port()}/")


def test_pages_are_persons_of_their_own(browser: Browser, shop: str) -> None:
    browser.page().open(f"{shop}/")
    other = browser.page()
    other.open(f"{shop}/second")
    assert other.evaluate("document.cookie") == ""


@pytest.mark.django_db
def test_admin_is_entered_by_its_form(browser: Browser, live_server: Any, admin_user: Any) -> None:
    page = browser.page()
    with pytest.raises(BrowserFailed, match="was not logged in"):
        page.log_in(live_server.url, "admin", "wrong")
    page.log_in(live_server.url, "admin", "password")
    assert page.url == f"{live_server.url}/admin/"
    assert "Waiting for somebody" in page.text()
    assert 'heading "Site administration" (level 1)' in page.accessible()
    assert not page.problems
