"""The company register's real archives: latin-1, no header, odd names of members."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Load = Callable[..., Any]


def test_every_archive_of_the_register_loads_whole(load: Load, shared_data: Path) -> None:
    folder = shared_data / "cnpj_tiny"
    archives = sorted(folder.glob("*.zip"))
    assert len(archives) == 15
    for path in archives:
        comma = path.stem.startswith(("Lucro", "Imunes"))
        options = {} if comma else {"delimiter": ";", "header": False, "format": "csv"}
        loaded = load({"path": path.name, **options}, folder=folder)
        with zipfile.ZipFile(path) as archive:
            (member,) = (info for info in archive.infolist() if not info.is_dir())
            text = archive.read(member).decode("cp1252")
        lines = [
            fields for fields in csv.reader(io.StringIO(text, newline=""), delimiter="," if comma else ";") if fields
        ]
        assert (len(loaded.rows), loaded.rejects, loaded.refused) == (len(lines) - comma, [], []), path.name
        for nth, row in enumerate(loaded.rows):
            assert row.pop("_source") == f"{path.name}!{member.filename}:{nth + 1 + comma}"
            fields = [value or "" for value in row.values()]
            assert fields == lines[nth + comma]
