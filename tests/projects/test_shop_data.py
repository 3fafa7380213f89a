"""The files that the shop ships are those that its script makes, byte by byte."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_shop_ships_what_its_script_makes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("shop_data", Path(__file__).with_name("shop_data.py"))
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)

    sys.modules["shop_data"] = made
    spec.loader.exec_module(made)
    made.write(tmp_path)
    shop = ROOT / "src/lagoa/examples/shop"
    shipped = {p.relative_to(shop): p.read_bytes() for f in ("landing", "later") for p in (shop / f).rglob("*.*")}
    assert shipped == {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*.*")}
