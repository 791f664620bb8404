"""Pages: each is a person of its own who shares no cookie. Its theme follows what the person prefers."""

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .accessible import outline
from .chromium import PATIENCE, BrowserFailed, Chromium

#: Key -> (code, Windows' virtual key code, text), as a keyboard would send it.
KEYS = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "Space": ("Space", 32, " "),
    "PageUp": ("PageUp", 33, ""),
    "PageDown": ("PageDown", 34, ""),
    "End": ("End", 35, ""),
    "Home": ("Home", 36, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
}
_SHIFT = 8


class Browser:
    """Opens pages; `close_pages` closes them all."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium
        self._contexts: list[str] = []

    def page(self, *, width: int = 1280, height: int = 800, dark: bool = False) -> "Page":
        """A new window of a new person. Sizes in CSS pixels."""
        context = self._chromium.call("Target.createBrowserContext")["browserContextId"]
        self._contexts.append(context)
        target = self._chromium.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self._chromium.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self._chromium, session, width=width, height=height, dark=dark)

    def close_pages(self) -> None:
        while self._contexts:
            self._chromium.call("Target.disposeBrowserContext", browserContextId=self._contexts.pop())


class Page:
    """One window. What takes a selector raises BrowserFailed when no element fits it."""

    def __init__(self, chromium: Chromium, session: str, *, width: int, height: int, dark: bool) -> None:
        self._chromium = chromium
        self._session = session
        self._loaded: set[str] = set()
        #: What went wrong in its scripts, and what it could not load, as the browser's console tells it.
        self.problems: list[str] = []
        chromium.listen(session, self._told)
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)
        self.resize(width, height)
        self.prefer(dark=dark)

    # --- The window ---

    def resize(self, width: int, height: int = 800) -> None:
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, *, dark: bool) -> None:
        wanted = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        self._call("Emulation.setEmulatedMedia", features=features)

    # --- Going places ---

    def open(self, url: str) -> None:
        """Go there and wait until the page has loaded, with its styles and scripts."""
        answer = self._call("Page.navigate", url=url)
        if error := answer.get("errorText"):
            raise BrowserFailed(f"{url}: {error}")
        if loader := answer.get("loaderId"):  # none: only the fragment changed
            self._chromium.wait(lambda: loader in self._loaded, what=f"{url} loaded")

    @contextlib.contextmanager
    def going(self) -> Iterator[None]:
        """What is done inside leads to another page; wait until that has loaded."""
        before, left = set(self._loaded), self.url
        yield
        self._chromium.wait(lambda: self._loaded - before, what=f"another page than {left} loaded")

    def log_in(self, base: str, username: str, password: str) -> None:
        """By the admin's own form."""
        self.open(f"{base}/admin/login/?next=/admin/")
        self.fill("#id_username", username)
        self.fill("#id_password", password)
        with self.going():
            self.press("Enter")
        if "/login/" in self.url:
            raise BrowserFailed(f"{username} was not logged in: {self.text()}")

    # --- Looking ---

    @property
    def url(self) -> str:
        address: str = self.evaluate("location.href")
        return address

    @property
    def title(self) -> str:
        title: str = self.evaluate("document.title")
        return title

    def text(self, selector: str = "body") -> str:
        """What a person reads there: hidden parts are left out."""
        read: str = self.evaluate(f"({self._element(selector)}).innerText")
        return read

    def accessible(self) -> str:
        """What a screen reader is told: a line `role "name" (state, ...)` per element, indented as they lie."""
        return outline(self._call("Accessibility.getFullAXTree")["nodes"])

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; of a promise, what it brings. Raises BrowserFailed if it throws."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if thrown := answer.get("exceptionDetails"):
            raise BrowserFailed(_thrown(thrown))
        return answer["result"].get("value")

    def wait_for(self, text: str = "", *, expression: str = "", seconds: float = PATIENCE) -> None:
        """Wait until the page shows the text, or the JavaScript expression is true."""
        wanted = expression or f"document.body.innerText.includes({json.dumps(text)})"
        polled = f"new Promise(done => {{const look = () => ({wanted}) ? done(true) : setTimeout(look, 30); look()}})"
        inside = f"Promise.race([{polled}, new Promise(done => setTimeout(done, {seconds * 1000}))])"
        if not self.evaluate(inside):
            raise BrowserFailed(f"Not within {seconds:.0f} s at {self.url}: {text or expression}")

    def screenshot(self, path: Path, *, selector: str = "", height: int | None = None) -> None:
        """A PNG of the whole page, or of one element; of a long one the uppermost `height` CSS pixels."""
        if selector:
            box = self.evaluate(f"({self._element(selector)}).getBoundingClientRect().toJSON()")
            left, top = box["x"] + self.evaluate("scrollX"), box["y"] + self.evaluate("scrollY")
        else:
            box, left, top = self._call("Page.getLayoutMetrics")["cssContentSize"], 0, 0
        size = {"width": box["width"], "height": min(box["height"], height or box["height"])}
        clip = {"x": left, "y": top, **size, "scale": 1}
        taken = self._call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    # --- Doing ---

    def click(self, selector: str) -> None:
        """With the mouse, in its middle, as far as it can be seen. In `going()`, when it leads to another page."""
        middle = self.evaluate(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const box = e.getBoundingClientRect();"
            f" return [box.x + box.width / 2, box.y + box.height / 2] }})({self._element(selector)})"
        )
        for kind in ("mousePressed", "mouseReleased"):
            place = {"x": middle[0], "y": middle[1], "button": "left", "clickCount": 1}
            self._call("Input.dispatchMouseEvent", type=kind, **place)

    def fill(self, selector: str, text: str) -> None:
        """Put the text into a field, instead of what is there, as if typed."""
        self.evaluate(f"(e => {{ e.focus(); if (e.select) e.select() }})({self._element(selector)})")
        self._call("Input.insertText", text=text)

    def press(self, key: str, *, shift: bool = False) -> None:
        """A key of `KEYS`, or one character. In `going()`, when it leads to another page."""
        code, number, text = KEYS.get(key, ("", 0, key))
        name = text if key == "Space" else key
        known = {"key": name, "code": code, "windowsVirtualKeyCode": number, "modifiers": _SHIFT if shift else 0}
        self._call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **known)
        self._call("Input.dispatchKeyEvent", type="keyUp", **known)

    # --- Inside ---

    def _call(self, method: str, **values: Any) -> dict[str, Any]:
        return self._chromium.call(method, self._session, **values)

    def _element(self, selector: str) -> str:
        """JavaScript for the first element that fits; it throws when there is none."""
        wanted = json.dumps(selector)
        return f"document.querySelector({wanted}) ?? (() => {{ throw Error('No element fits ' + {wanted}) }})()"

    def _told(self, method: str, values: dict[str, Any]) -> None:
        if method == "Page.lifecycleEvent" and values["name"] == "load":
            self._loaded.add(values["loaderId"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(_thrown(values["exceptionDetails"]))
        elif method == "Log.entryAdded" and values["entry"]["level"] == "error":
            address = values["entry"].get("url", "")
            if not address.endswith("/favicon.ico"):  # the browser asks for it, no page does
                self.problems.append(f"{values['entry']['text']} {address}".strip())


def _thrown(details: dict[str, Any]) -> str:
    text: str = details.get("exception", {}).get("description") or details["text"]
    return text.partition("\n")[0]
