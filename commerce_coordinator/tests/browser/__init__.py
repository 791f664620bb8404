"""A headless Chromium for tests of what people see: text, accessibility tree, keyboard, screenshots.

    @pytest.mark.needs_chromium
    def test_list_is_read_aloud(browser: Browser, live_server, admin_user, tmp_path):
        page = browser.page(width=1280, dark=True)
        page.log_in(live_server.url, "admin", "password")
        page.open(f"{live_server.url}/admin/deliveries/delivery/")
        assert "Dead" in page.text()
        assert 'heading "Select delivery to view" (level 1)' in page.accessible()
        page.press("Tab")
        page.screenshot(tmp_path / "deliveries.png")
        assert not page.problems

The fixture `browser` (commerce_coordinator/conftest.py) closes its pages after each test.
"""

from .chromium import BrowserFailed, Chromium, program
from .pages import Browser, Page

__all__ = ["Browser", "BrowserFailed", "Chromium", "Page", "program"]
