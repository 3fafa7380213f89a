"""Bytes that become UTF-8 text: the encoding is given, or found out, and never guessed in silence."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from lagoa.errors import SourceError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_BOMS_16 = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
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

    def stream(self, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
        """Wrap a function that reads bytes into one that reads UTF-8."""
        decoder = codecs.getincrementaldecoder(self.wanted)("strict")

        def utf8(size: int) -> bytes:
            while raw := read(size):
                if text := self._decode(decoder, raw, final=False):
                    return text.encode()
            return self._decode(decoder, b"", final=True).encode()

        return utf8

    def _decode(self, decoder: codecs.IncrementalDecoder, raw: bytes, final: bool) -> str:
        try:
            return decoder.decode(raw, final)
        except UnicodeDecodeError as error:
            raise SourceError(
                "LG-202",
                f"{self.file} is not valid {self.wanted}: {error.reason}",
                hint="give its encoding with `encoding:`",
            ) from error

    def utf8(self, raw: bytes) -> tuple[bytes, bool]:
        """Return a piece as UTF-8, and whether it is valid; the records answer for bytes that are not."""
        if raw.isascii():
            return raw, True
        if self.wanted == "auto" and self.chosen is None:
            self.chosen = _guess(raw)
        how = self.chosen if self.wanted == "auto" else self.wanted
        self.chosen = how
        if how == "utf-8" or how is None:
            return raw, is_utf8(raw)
        if how in ("cp1252", "iso8859-1"):
            # who says latin-1 of a text with bytes 0x80 to 0x9F means windows-1252, as on the web
            self.chosen = "cp1252"
            return codecs.charmap_decode(raw, "strict", _CP1252)[0].encode(), True
        try:
            return raw.decode(how).encode(), True
        except UnicodeDecodeError as error:
            raise SourceError(
                "LG-202",
                f"{self.file} is not valid {how}: byte {raw[error.start]:#04x}",
                hint="give another `encoding:`",
            ) from error


def is_utf8(raw: bytes) -> bool:
    """Say whether bytes are valid UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


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
    """Take UTF-8 when the bytes beyond ASCII are, or when most of them are (the few others are then damage)."""
    if is_utf8(raw):
        return "utf-8"
    bad = raw.decode("utf-8", "replace").count("\ufffd")
    text = raw.decode("utf-8", "ignore")
    good = sum(len(part) for part in (text,)) - len(text.encode("ascii", "ignore"))
    return "utf-8" if good > bad else "cp1252"
