"""Bytes that become UTF-8 text: the encoding is given, or found out, and never guessed in silence."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from lagoa.errors import SourceError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_BOMS_16 = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_STEP = 1 << 18
_DOS = re.compile(rb"(?<=[A-Za-z\x80-\xff])[\x82\x87\xa1-\xa3](?=[A-Za-z\x80-\xff])")
"""é, ç, í, ó, ú inside a word in DOS, where Windows has ‚, ‡, ¡, ¢, £."""
_WINDOWS = re.compile(rb"[\xe1-\xe3\xe7\xe9\xea\xed\xf3-\xf5\xfa]")
"""á, â, ã, ç, é, ê, í, ó, ô, õ, ú in Windows, and what is rare in DOS."""
_SINGLE = {"cp1252", "iso8859-1", "ascii"}
# windows-1252 leaves five bytes undefined; like the web's standard, we give them the control characters of latin-1
_CP1252 = "".join(chr(b) if b in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([b]).decode("cp1252") for b in range(256))


def canonical(name: str) -> str:
    """Return `auto`, or Python's name of an encoding. Raises ValueError for an unknown one."""
    if name.lower() == "auto":
        return "auto"
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(f"{name!r} is no known encoding; use auto, utf-8, latin-1, cp1252 or utf-16") from error


@dataclass
class Decoder:
    """Turns one file's pieces into UTF-8. `chosen` says how, once a byte that is not ASCII was seen."""

    wanted: str = "auto"
    file: str = ""
    chosen: str | None = None

    def __post_init__(self) -> None:
        self.auto = self.wanted == "auto"

    def strip(self, start: bytes) -> int:
        """Look at a file's first bytes: return how many of them are a byte-order mark to pass over."""
        for mark, name in (*_BOMS, *_BOMS_16):
            if start.startswith(mark):
                if self.wanted == "auto":
                    self.wanted = self.chosen = name
                return len(mark) if self.wanted == "utf-8" else 0
        return 0

    def streams(self) -> bool:
        """Say whether line ends can only be seen once the text is decoded: UTF-16 and other multi-byte encodings."""
        return self.wanted not in ("auto", "utf-8") and self.wanted not in _SINGLE and not _is_charmap(self.wanted)

    def stream(self, first: bytes, fill: Callable[[memoryview], int]) -> Callable[[memoryview], int]:
        """Wrap a function that fills memory into one that fills it with UTF-8; `first` was read already."""
        decoder = codecs.getincrementaldecoder(self.wanted)("strict")
        ready = bytearray(self._decode(decoder, first, final=False))
        raw, ended = memoryview(bytearray(1 << 20)), False

        def utf8(view: memoryview) -> int:
            nonlocal ended
            while len(ready) < len(view) and not ended:
                count = fill(raw)
                ended = count < len(raw)
                ready.extend(self._decode(decoder, bytes(raw[:count]), ended))
            count = min(len(view), len(ready))
            view[:count] = ready[:count]
            del ready[:count]
            return count

        return utf8

    def _decode(self, decoder: codecs.IncrementalDecoder, raw: bytes, final: bool) -> bytes:
        try:
            return decoder.decode(raw, final).encode()
        except UnicodeError as error:
            raise SourceError(
                "LG-202", f"{self.file} is not valid {self.wanted}", hint="give its encoding with `encoding:`"
            ) from error

    def utf8(self, view: memoryview) -> tuple[bytes | None, bool]:
        """Return a piece's bytes as UTF-8, None: as they are; and whether it is valid: if not, the records answer."""
        plain, valid = _look(view)
        if plain:
            return None, True
        if self.wanted == "auto" and self.chosen is None:
            self.chosen = "utf-8" if valid else _guess(bytes(view))
        how = self.chosen if self.wanted == "auto" else self.wanted
        if how == "utf-8":
            return None, valid
        if how in ("cp1252", "iso8859-1"):
            # who says latin-1 of a text with bytes 0x80 to 0x9F means windows-1252, as on the web
            self.chosen = "cp1252"
            return codecs.charmap_decode(view, "strict", _CP1252)[0].encode(), True
        try:
            return codecs.decode(view, how or "utf-8").encode(), True
        except UnicodeDecodeError as error:
            what = f"{self.file} is not valid {how}: byte {view[error.start]:#04x}"
            raise SourceError("LG-202", what, hint="give another `encoding:`") from error


def is_single_byte(name: str) -> bool:
    """Say whether each byte is one character, as in latin-1 and EBCDIC."""
    return name != "utf-8" and len(bytes(range(256)).decode(name, "replace")) == 256


def is_utf8(raw: bytes) -> bool:
    """Say whether bytes are valid UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _look(view: memoryview) -> tuple[bool, bool]:
    """Say whether bytes are all ASCII, and whether they are valid UTF-8; little by little, to stay in the cache."""
    plain, place = True, 0
    while place < len(view):
        part = view[place : place + _STEP]
        last = place + len(part) == len(view)
        try:
            text, taken = codecs.utf_8_decode(part, "strict", last)
        except UnicodeDecodeError:
            return False, False
        plain = plain and len(text) == taken
        place += taken
        if not taken:
            return False, False
    return plain, True


def _is_charmap(name: str) -> bool:
    try:
        return len(bytes(range(0x20, 0x7F)).decode(name)) == 0x5F and "\n".encode(name) == b"\n" and _one_each(name)
    except (UnicodeError, LookupError):
        return False


def _one_each(name: str) -> bool:
    return len(bytes(range(0x80, 0x100)).decode(name, "replace")) == 0x80 and codecs.lookup(name).name not in (
        "gb18030", "gbk", "big5", "shift_jis", "euc_jp", "euc_kr",
    )  # fmt: skip


def _guess(raw: bytes) -> str:
    """Take UTF-8 when the bytes beyond ASCII are, or when most of them are (the few others are then damage).

    Else Windows-1252, or DOS's code page 850: letters of it stand inside words, and none that are usual in Windows.
    """
    if is_utf8(raw):
        return "utf-8"
    bad = raw.decode("utf-8", "replace").count("\ufffd") - raw.count("\ufffd".encode())
    text = raw.decode("utf-8", "ignore")
    good = len(text) - len(text.encode("ascii", "ignore"))
    if good > bad:
        return "utf-8"
    return "cp850" if _DOS.search(raw) and not _WINDOWS.search(raw) else "cp1252"
