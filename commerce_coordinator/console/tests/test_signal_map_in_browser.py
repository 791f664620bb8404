"""The signal map in a browser that reaches nobody but us: drawn whole, in light and dark, by keyboard, read aloud."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.signals.tests.plugin_of_a_test import shipped_signals_only
from commerce_coordinator.tests.browser import Browser, Page
from commerce_coordinator.tests.browser.png import is_blank

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.needs_chromium,
    pytest.mark.django_db(transaction=True),
    pytest.mark.needs_plugins(
        "stripe", "paypal", "fulfillment", "lms", "notifications", "ecommerce", "order_history", "demo_lms"
    ),
]

PANE = "document.getElementById('signal-map-pane')"
NODES = f"[...{PANE}.querySelectorAll('svg a')]"

#: Pairs of nodes that lie over each other.
OVERLAPS = f"""(() => {{
  const boxes = {NODES}.map(a => [a.dataset.key, a.querySelector('rect, polygon').getBoundingClientRect()]);
  const over = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return boxes.flatMap(([key, box], n) =>
    boxes.slice(n + 1).filter(([, other]) => over(box, other)).map(([other]) => key + ' ' + other));
}})()"""

#: Nodes with a text wider than they are.
TOO_WIDE = f"""{NODES}.filter(a => [...a.querySelectorAll('text')].some(
  text => text.getBBox().width > a.querySelector('rect, polygon').getBBox().width)).map(a => a.dataset.key)"""

#: Nodes whose middle lies within the group of another plugin.
STRAYS = f"""(() => {{
  const groups = [...{PANE}.querySelectorAll('.cc-group')].map(
    group => [group.textContent, group.firstChild.getBoundingClientRect()]);
  const told = JSON.parse(document.getElementById('signal-map-data').textContent).nodes;
  const plugins = new Map(told.map(node => [node.key, node.plugin.split('.').pop()]));
  const inside = (box, x, y) => box.left < x && x < box.right && box.top < y && y < box.bottom;
  return {NODES}.filter(a => {{
    const box = a.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    return groups.some(([name, each]) => inside(each, x, y) && name !== plugins.get(a.dataset.key));
  }}).map(a => a.dataset.key);
}})()"""

#: The least contrast of a text in a node or group to the ground that it stands on.
CONTRAST = f"""(() => {{
  const light = colour => {{
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255).map(
      v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }};
  return Math.min(...[...{PANE}.querySelectorAll('svg text')].map(text => {{
    const ground = text.parentNode.querySelector('rect, polygon');
    const [a, b] = [light(getComputedStyle(text).fill), light(getComputedStyle(ground).fill)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }}));
}})()"""

#: Whether the node that has the focus is within the pane and within the window.
IN_VIEW = f"""(() => {{
  const node = document.activeElement.getBoundingClientRect(), pane = {PANE}.getBoundingClientRect();
  return node.left >= pane.left - 1 && node.right <= pane.right + 1 && node.top >= pane.top - 1
    && node.bottom <= pane.bottom + 1 && node.top >= 0 && node.bottom <= innerHeight;
}})()"""


@pytest.fixture
def opened(browser: Browser, live_server: Any, admin_user: Any) -> Iterator[Any]:
    def open_page(**window: Any) -> Page:
        page = browser.page(**window)
        page.log_in(live_server.url, "admin", "password")
        page.open(f"{live_server.url}/admin/map/")
        page.wait_for(expression=f"{NODES}.length > 0")
        return page

    with shipped_signals_only():
        yield open_page


def values(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.evaluate("document.getElementById('signal-map-data').textContent"))
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_picture_has_all_nodes_and_edges_and_none_covers_another(opened: Any, dark: bool, tmp_path: Path) -> None:
    page = opened(dark=dark)
    told = values(page)
    assert page.evaluate(f"{NODES}.length") == len(told["nodes"]) > 70
    assert page.evaluate(f"{PANE}.querySelectorAll('path.cc-edge').length") == len(told["edges"])
    heads = page.evaluate(f"[...{PANE}.querySelectorAll('path.cc-edge')].every(p => p.getAttribute('marker-end'))")
    assert heads
    assert page.evaluate(f"{PANE}.querySelectorAll('.cc-group').length") == len(told["plugins"])
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(STRAYS) == []
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(CONTRAST) >= 4.5
    page.screenshot(tmp_path / "map.png", selector="#signal-map-pane")
    assert not is_blank(tmp_path / "map.png")
    assert not page.problems


def test_browser_asks_nobody_but_us(opened: Any, live_server: Any) -> None:
    page = opened()
    asked = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    assert any("dagre.min.js" in each for each in asked)
    assert [each for each in asked if not each.startswith(live_server.url)] == []


def test_tab_goes_from_node_to_node_in_the_order_of_the_flow_and_each_is_brought_into_view(opened: Any) -> None:
    page = opened()
    page.evaluate(f"{PANE}.focus()")
    wanted = page.evaluate(f"{NODES}.map(a => a.dataset.key)")
    columns = page.evaluate(f"{NODES}.map(a => Math.round(a.transform.baseVal[0].matrix.e))")
    assert columns == sorted(columns)
    for number, key in enumerate(wanted):
        page.press("Tab")
        assert page.evaluate("document.activeElement.dataset.key") == key
        if number % 10 == 0:
            assert page.evaluate(IN_VIEW), key
    ring = page.evaluate("getComputedStyle(document.activeElement.querySelector('rect, polygon')).strokeWidth")
    assert ring == "5px"
    with page.going():
        page.press("Enter")
    assert "/admin/deliveries/" in page.url


def test_screen_reader_is_told_each_node_and_the_table(opened: Any) -> None:
    page = opened()
    told = page.accessible()
    for node in values(page)["nodes"]:
        assert f'link "{node["name"]}"' in told
    assert "Picture of the signal map" in told
    assert 'columnheader "MEDIAN"' in told
    assert 'button "Zoom in"' in told


def test_keys_and_buttons_zoom_move_and_fit(opened: Any) -> None:
    page = opened()
    width = f"Number({PANE}.querySelector('svg').getAttribute('width'))"
    fitted = page.evaluate(width)
    assert fitted <= page.evaluate(f"{PANE}.clientWidth")
    page.evaluate(f"{PANE}.focus()")
    for _ in range(3):
        page.press("+")
    assert page.evaluate(width) > fitted * 1.9
    for key, side in (("ArrowRight", "scrollLeft"), ("ArrowDown", "scrollTop")):
        before = page.evaluate(f"{PANE}.{side}")
        page.press(key)
        assert page.evaluate(f"{PANE}.{side}") == pytest.approx(before + 80, abs=1)
    page.press("-")
    assert page.evaluate(width) < fitted * 1.6
    page.press("0")
    assert page.evaluate(width) == pytest.approx(fitted)
    page.click('[data-act="+"]')
    assert page.evaluate(width) == pytest.approx(fitted * 1.25)
    page.click('[data-act="0"]')
    assert page.evaluate(width) == pytest.approx(fitted)


def test_filter_shows_what_fits_and_what_stands_beside_it(opened: Any) -> None:
    page = opened()
    page.fill("#signal-map-name", "redeem_enrollment")
    labels = page.evaluate(f"{NODES}.map(a => a.dataset.key.split(/[.:]/).pop())")
    assert labels == [
        "POST /ecommerce/redeem_enrollment_code/",
        "enrollment_code_redemption_requested",
        "redeem_enrollment_code",
    ]
    assert "3 of" in page.text("#signal-map-told")
    page.fill("#signal-map-name", "nobody is called so")
    assert page.text("#signal-map-told") == "Nothing has this name."
    assert not page.problems


def test_what_is_to_be_looked_at_is_brought_into_view(opened: Any) -> None:
    receiver = "commerce_coordinator.plugins.fulfillment.tasks.place_order"
    dispatch = Dispatch.objects.create(
        signal="commerce_coordinator.plugins.stripe.signals.payment_captured", dedupe_key="1", origin="web"
    )
    Delivery.objects.create(dispatch=dispatch, receiver=receiver, kind="task", state="dead", wake_at=None)
    page = opened(height=500)
    page.fill("#signal-map-name", "nobody_has_this_name")
    assert page.evaluate(f"{NODES}.length") == 0
    page.click(f"button[data-show='receiver:{receiver}']")
    assert page.evaluate("document.activeElement.dataset.key") == f"receiver:{receiver}"
    assert page.evaluate(IN_VIEW)
    assert 'button "Show fulfillment.place_order in the picture"' in page.accessible()


def test_every_node_leads_to_a_page(opened: Any, admin_client: Any) -> None:
    for node in values(opened())["nodes"]:
        assert admin_client.get(node["href"]).status_code == 200, node["href"]
