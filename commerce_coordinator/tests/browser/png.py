"""PNG files, as far as a test must look into them: how large, and is anything to be seen?"""

import struct
import zlib
from pathlib import Path


def size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels."""
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


def is_blank(path: Path) -> bool:
    """Whether all of it has one colour: then its lines, each told by its difference to others, hold next to nothing."""
    content, at, packed = path.read_bytes(), 8, b""
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        if content[at + 4 : at + 8] == b"IDAT":
            packed += content[at + 8 : at + 8 + length]
        at += length + 12
    lines = zlib.decompress(packed)
    width = len(lines) // size(path)[1]
    return len({lines[at : at + width] for at in range(0, len(lines), width)}) <= 3
