"""Files that a command is given by name; `-` stands for the standard input."""

import sys
from pathlib import Path


def bytes_of(name: str) -> bytes:
    """Raises OSError."""
    if name != "-":
        return Path(name).read_bytes()
    # Its own decoding would depend on the locale.
    raw = getattr(sys.stdin, "buffer", None)
    return raw.read() if raw else sys.stdin.read().encode()


def text_of(name: str) -> str:
    """Raises OSError, and UnicodeDecodeError where it is not UTF-8."""
    return bytes_of(name).decode("utf-8")


def shown_name(name: str) -> str:
    return "The standard input" if name == "-" else name or "A file without a name"
