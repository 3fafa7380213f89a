"""A few lines from all over some files, for a first idea of what all their lines are like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lagoa.kit.encoding import Decoder
from lagoa.kit.landing import Found, open_file, printable
from lagoa.kit.pieces import Opened, last_line_end, pieces

_PLACES, _BYTES = 16, 1 << 18


def sample(files: Sequence[Found], encoding: str) -> bytes:
    """Return whole lines of UTF-8: the first ones of some files, and of large ones some in the middle.

    Of files that are packed only the first is looked at: what stands later costs all that stands before it.
    """
    plain = [found for found in files if found.pack is None] or files[:1]
    chosen = plain[:: -(-len(plain) // _PLACES)]
    each = max(1, _PLACES // len(chosen))
    return b"".join(text for found in chosen for text in _looks(found, encoding, each))


def _looks(found: Found, encoding: str, places: int) -> Iterator[bytes]:
    decoder = Decoder(encoding, printable(found.name))
    with Opened(found, hashed=False) as opened:
        for piece in pieces(opened, decoder, last_line_end, _BYTES):
            yield piece.text().removesuffix(b"\n") + b"\n"
            break
    if found.pack is None and decoder.chosen in (None, "utf-8") and not decoder.streams():
        with open_file(found.path) as file:
            for nth in range(1, places):
                file.seek(found.size * nth // places)
                text = file.read(_BYTES)
                yield text[text.find(b"\n") + 1 : text.rfind(b"\n") + 1]
