"""Names as people write them in SQL: small letters, digits and `_`, without accents, words apart."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from lagoa.kit.column_names import OWN

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST = 60


def plain_name(spelled: str) -> str:
    """Return a plain name, '' when nothing is left: `Região - Sigla` becomes `regiao_sigla`, `OrderID` `order_id`."""
    text = "_".join(_HUMP.split(spelled.strip())).lower()
    text = unicodedata.normalize("NFKD", text.replace("nº", "numero").replace("n°", "numero"))
    text = "".join(c for c in text if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")[:_LONGEST].strip("_")


def column_plain_names(spelled: Sequence[str]) -> list[str]:
    """Return a plain name for each column of a header, none twice and none that is Lagoa's own."""
    taken: Counter[str] = Counter()
    found = []
    for position, text in enumerate(spelled, 1):
        name = plain_name(text) or f"column_{position}"
        if name[0].isdigit():
            name = f"c_{name}"
        if name in OWN:
            name = f"{name.lstrip('_')}_"
        found.append(_once(name, taken))
    return found


def stream_names(stems: Sequence[str]) -> list[str]:
    """Return a name for each stream, without the words that nearly all of them share, none twice."""
    words = [(plain_name(stem) or "data").split("_") for stem in stems]
    words = _bared(words, 0)
    words = _bared(words, -1)
    taken: Counter[str] = Counter()
    found = []
    for parts in words:
        name = "_".join(parts)
        found.append(_once(f"n{name}" if name[0].isdigit() else name, taken))
    return found


def free_source_name(spelled: str, taken: Sequence[str]) -> str:
    """Return a name for a source that no other one has."""
    name = plain_name(spelled) or "source"
    name = f"s{name}" if name[0].isdigit() else name
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _bared(words: list[list[str]], place: int) -> list[list[str]]:
    """Take the first (or last) word away where most streams have it, as long as all keep a name of their own."""
    while len(words) >= 3:
        word, count = Counter(w[place] for w in words).most_common(1)[0]
        if count * 3 < len(words) * 2:
            return words
        bared = [(w[1:] if place == 0 else w[:-1]) if w[place] == word and len(w) > 1 else w for w in words]
        if len({tuple(w) for w in bared}) < len({tuple(w) for w in words}) or bared == words:
            return words
        words = bared
    return words


def _once(name: str, taken: Counter[str]) -> str:
    taken[name] += 1
    if taken[name] == 1:
        return name
    return _once(f"{name}_{taken[name]}", taken)
