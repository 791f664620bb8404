"""Who is on call: a browser with the admin open, the runbook beside it, and a terminal on one of the machines."""

from pathlib import Path
from urllib.parse import urlencode

from commerce_coordinator.tests.browser import Page
from commerce_coordinator.tests.browser.png import is_blank, size

from .site import ADMIN, Site
from .told import RUNBOOKS, Picture

#: A picture's bounds, as the documents can bear them: CSS pixels and bytes.
WIDEST, LARGEST = 1280, 150_000


class Operator:
    """Reads the screens and does what they offer. A page that breaks in the browser fails the test.

    pictures: the folder that the runbooks' pictures go to.
    """

    def __init__(self, site: Site, page: Page, pictures: Path) -> None:
        self.site = site
        self.page = page
        self.pictures = pictures
        page.log_in(site.url, *ADMIN)

    # --- What the screens say ---

    def sees(self, incident: str, screen: str, order: str = "") -> str:
        """The text of a screen, on which stands what the incident's runbook says; its pictures are taken."""
        seen = RUNBOOKS[incident].seen[screen]
        text = self._goes_to(screen, order)
        for words in seen.words:
            assert words in " ".join(text.split()), f"{words!r} is not on {screen}:\n{text[:2000]}"
        for picture in seen.pictures:
            self._photographs(picture, f"{incident}-{screen}{'-dark' if picture.dark else ''}")
        return text

    def reads(self, path: str, **query: str) -> str:
        """The text of a page of the admin."""
        self.page.open(f"{self.site.url}/admin/{path}{'?' if query else ''}{urlencode(query)}")
        assert not self.page.problems, self.page.problems
        return self.page.text("#content")

    def first_page(self) -> str:
        return self.reads("")

    def dead_letters(self, **wanted: str) -> str:
        """The rows of the list, or the sentence that there are none."""
        self.reads("dead-letters/", **wanted)
        there = self.page.evaluate("Boolean(document.querySelector('.cc-letters'))")
        return self.page.text(".cc-letters tbody" if there else "#content .cc-summary")

    def _goes_to(self, screen: str, order: str) -> str:
        if screen == "first-page":
            return self.first_page()
        if screen == "dead-letters":
            return self.dead_letters(subject=order)
        if screen == "delivery":
            self.dead_letters(subject=order)
            return self._follows(".cc-letters tbody td a")
        if screen == "pending-delivery":
            self.reads("deliveries/delivery/", state="pending")
            return self._follows("#result_list tbody th a")
        path, query = {
            "trace": ("trace/", {"q": order}),
            "map": ("map/", {}),
            "refused-webhooks": ("inbox/webhookrefusal/", {}),
            "payments": ("fulfillment/payment/", {"q": order}),
        }[screen]
        return self.reads(path, **query)

    def _follows(self, selector: str) -> str:
        with self.page.going():
            self.page.click(selector)
        assert not self.page.problems, self.page.problems
        return self.page.text("#content")

    def _photographs(self, picture: Picture, name: str) -> None:
        path = self.pictures / f"{name}.png"
        self.page.prefer(dark=picture.dark)
        if picture.find:
            self.page.fill("#signal-map-name", picture.find)
            self.page.wait_for("shown, with what stands beside them.")
        self.page.screenshot(path, selector=picture.of, height=picture.height)
        self.page.prefer(dark=False)
        assert not is_blank(path), path
        assert size(path)[0] <= WIDEST
        assert path.stat().st_size < LARGEST, f"{path} has {path.stat().st_size} bytes"

    # --- What he does ---

    def replays(self, why: str, **wanted: str) -> str:
        """By the page of the dead letters: all that match. The message that follows."""
        self.dead_letters(**wanted)
        self._presses("Replay all that match the filter…")
        self.page.fill("#why", why)
        self._presses("Replay ")
        return self.page.text(".messagelist")

    def tries_out(self, incident: str, order: str = "") -> str:
        """What the runbook's command says that it would replay."""
        words = RUNBOOKS[incident].replay.format(order=order).split()
        done = self.site.manage("replay", *words, "--dry-run", check=False)
        return done.stdout + done.stderr

    def commands_replay(self, incident: str, order: str, why: str) -> str:
        """By the runbook's command."""
        words = RUNBOOKS[incident].replay.format(order=order).split()
        return self.site.manage("replay", *words, "--why", why).stdout

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
