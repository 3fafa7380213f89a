"""Every source passes the contract, with its page: a source that is left out would be one that nobody has tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from lagoa import registry

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    path.name: text
    for path in (ROOT / "tests/adapters/sources").rglob("test_*.py")
    if "SourceContract)" in (text := path.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("name", registry.names("sources"))
def test_every_source_has_a_page_and_passes_the_contract_with_it(name: str) -> None:
    assert (ROOT / f"docs/reference/{name}.md").is_file()
    assert [file for file, text in CONTRACTS.items() if f"{name}.md" in text and "page = " in text]
    assert f"| `{name}` |" in (ROOT / "docs/reference/verified.md").read_text(encoding="utf-8")
