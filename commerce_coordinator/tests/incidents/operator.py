"""Who is on call: a browser with the admin open, and a terminal on one of the machines."""

from pathlib import Path
from urllib.parse import urlencode

from commerce_coordinator.tests.browser import Page

from .site import ADMIN, Site


class Operator:
    """Reads the screens and does what they offer. A page that breaks in the browser fails the test."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site = site
        self.page = page
        page.log_in(site.url, *ADMIN)

    # --- What the screens say ---

    def reads(self, path: str, **query: str) -> str:
        """The text of a page of the admin."""
        self.page.open(f"{self.site.url}/admin/{path}{'?' if query else ''}{urlencode(query)}")
        assert not self.page.problems, self.page.problems
        return self.page.text()

    def first_page(self) -> str:
        return self.reads("")

    def dead_letters(self, **wanted: str) -> str:
        """The rows of the list, or the sentence that there are none."""
        self.reads("dead-letters/", **wanted)
        there = self.page.evaluate("Boolean(document.querySelector('.cc-letters'))")
        return self.page.text(".cc-letters tbody" if there else "#content .cc-summary")

    def page_of_first(self) -> str:
        """The page of the first dead letter in the list that is open."""
        with self.page.going():
            self.page.click(".cc-letters tbody td a")
        return self.page.text()

    def photograph(self, path: Path, *, height: int | None = None) -> None:
        self.page.screenshot(path, height=height)

    # --- What the terminal says ---

    def traces(self, reference: str) -> str:
        return self.site.manage("trace", reference).stdout

    # --- What he does ---

    def replays(self, why: str, **wanted: str) -> str:
        """By the page of the dead letters: all that match. The message that follows."""
        self.dead_letters(**wanted)
        self._presses("Replay all that match")
        self.page.fill("#why", why)
        self._presses("Replay ")
        return self.page.text(".messagelist")

    def commands_replay(self, *arguments: str) -> str:
        """By the command."""
        return self.site.manage("replay", *arguments).stdout

    def _presses(self, label: str) -> None:
        """The button or link that begins with this."""
        marked = f"""(() => {{
            const found = [...document.querySelectorAll('#content button, #content a.button')]
                .find(each => each.innerText.trim().startsWith({label!r}));
            if (found) found.id = 'pressed';
            return Boolean(found);
        }})()"""
        assert self.page.evaluate(marked), f"Nothing to press begins with {label!r}: {self.page.text()}"
        with self.page.going():
            self.page.click("#pressed")
