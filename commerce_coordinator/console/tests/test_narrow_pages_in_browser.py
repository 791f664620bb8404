"""The operator's pages in the window of a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from commerce_coordinator.tests.browser import Browser, Page

from .test_admin_rows import AT, story

pytestmark = [pytest.mark.chromium, pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(browser: Browser, live_server: Any, admin_user: Any) -> Iterator[Page]:
    with time_machine.travel(AT):
        page = browser.page(width=390)
        page.log_in(live_server.url, "admin", "password")
        yield page


def test_why_a_letter_is_dead_is_read_beside_its_own_label(phone: Page, live_server: Any) -> None:
    story(1)
    phone.open(f"{live_server.url}/admin/dead-letters/")
    why = phone.evaluate("document.querySelector('.cc-letters [data-label=Why]').getBoundingClientRect().toJSON()")
    assert why["width"] > 300
    assert why["right"] <= 390
    label = "getComputedStyle(document.querySelector('.cc-letters [data-label=Why]'), '::before')"
    assert phone.evaluate(f"{label}.content") == '"Why"'
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_state_of_a_line_of_a_trace_stands_beside_its_name(phone: Page, live_server: Any) -> None:
    told = story(1)
    phone.open(f"{live_server.url}/admin/trace/?q={told.event.event_id}")
    beside = """[...document.querySelectorAll('.cc-trace [data-state]')].map(each => [
      each.dataset.state, getComputedStyle(each, '::after').content, each.getBoundingClientRect().right])"""
    found = phone.evaluate(beside)
    assert {"sent", "succeeded", "dead", "pending"} <= {state for state, _, _ in found}
    for state, shown, right in found:
        assert shown == f'"{state}"'
        assert right <= 390
    phone.resize(1280)
    assert {shown for _, shown, _ in phone.evaluate(beside)} == {"none"}
