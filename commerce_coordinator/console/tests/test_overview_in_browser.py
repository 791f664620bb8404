"""The first page in a browser: its numbers are seen without scrolling, in a wide window and in a narrow one."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.tests.browser import Browser, Page

from .test_admin_rows import AT, story

pytestmark = [pytest.mark.chromium, pytest.mark.needs_chromium, pytest.mark.django_db(transaction=True)]

#: A name as long as those of a big plugin.
LONG = "commerce_coordinator.plugins.fulfillment.tasks.withdraw_the_enrolment_of_learners_in_programs"

#: The right edges, in CSS pixels, of the first row's cells in the table of deliveries.
EDGES = """(() => {
  const tables = [...document.querySelectorAll('.cc-overview table')];
  const cells = tables.at(-1).querySelector('tbody tr').cells;
  return [...cells].map(cell => cell.getBoundingClientRect().right);
})()"""


@pytest.fixture
def first_page(browser: Browser, live_server: Any, admin_user: Any) -> Iterator[Page]:
    with time_machine.travel(AT):
        Delivery.objects.filter(pk=story().ticket.pk).update(receiver=LONG)
        page = browser.page()
        page.log_in(live_server.url, "admin", "password")
        yield page


def test_all_columns_are_seen_in_a_usual_window(first_page: Page) -> None:
    edges = first_page.evaluate(EDGES)
    assert len(edges) == 9
    assert max(edges) <= first_page.evaluate("document.querySelector('.cc-overview').getBoundingClientRect().right")


def test_what_is_dead_is_seen_in_a_narrow_window(first_page: Page) -> None:
    first_page.resize(390)
    _, dead_in_an_hour, dead_in_a_day, *_ = first_page.evaluate(EDGES)
    assert dead_in_an_hour < dead_in_a_day <= 390 - 15
    assert first_page.evaluate("document.documentElement.scrollWidth") <= 390


def test_heading_of_a_number_tells_its_state_and_its_time(first_page: Page) -> None:
    told = first_page.accessible()
    for state in ("dead", "pending", "running", "succeeded"):
        assert f'columnheader "{state.upper()}"' in told
    assert told.count('columnheader "HOUR"') == told.count('columnheader "DAY"') == 7
