"""Times a zip of latin-1 CSV in the shape of a company register against the same rows as one plain UTF-8 file, in turn.

`python bench/archives.py [--rows 2000000] [--rounds 3]` prints wall time, CPU and how quick the zip is beside the plain
file (1.0: as quick; the aim is 0.7).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from files import consume, timed

NAMES = (
    "cnpj_basico", "cnpj_ordem", "cnpj_dv", "matriz", "nome_fantasia", "situacao", "data_situacao", "motivo",
    "pais", "inicio", "cnae", "cnaes", "logradouro", "numero", "bairro", "cep", "uf", "municipio", "telefone", "email",
)  # fmt: skip


def make_files(folder: Path, rows: int) -> None:
    """Write the same rows twice: as UTF-8, and in latin-1 inside a zip."""
    digits = "lpad((hash(range + {0}) % 10 ** {1})::bigint::varchar, {1}, '0')"
    text = {
        "cnpj_basico": "lpad(range::varchar, 8, '0')", "cnpj_ordem": "'0001'", "cnpj_dv": digits.format(1, 2),
        "nome_fantasia": "'COMÉRCIO DE ALIMENTAÇÃO ' || (range % 50000)", "situacao": "'02'",
        "data_situacao": "'20' || " + digits.format(2, 2) + " || '0131'", "inicio": "'20' || "
        + digits.format(3, 2) + " || '0715'", "cnae": digits.format(4, 7), "logradouro": "'RUA JOSÉ BONIFÁCIO '"
        " || (hash(range) % 3000)", "bairro": "'CENTRO ' || (range % 300)", "cep": digits.format(5, 8),
        "uf": "['SP', 'RJ', 'MG', 'BA'][1 + range % 4]", "telefone": digits.format(6, 8),
        "email": "'contato' || range || '@exemplo.com.br'",
    }  # fmt: skip
    values = ", ".join(text.get(name, digits.format(n + 10, 4)) for n, name in enumerate(NAMES))
    plain = folder / "plain.csv"
    with duckdb.connect() as connection:
        options = "header false, delimiter ';', force_quote *"
        connection.execute(f"copy (select {values} from range({rows})) to '{plain}' ({options})")
    packed = zipfile.ZipFile(folder / "Estabelecimentos0.zip", "w", zipfile.ZIP_DEFLATED)
    with packed, packed.open("K3241.K03200Y0.D30513.ESTABELE", "w", force_zip64=True) as to, plain.open() as lines:
        while part := lines.read(1 << 24):
            to.write(part.encode("latin-1"))


def read(path: str, folder: Path, into: Path) -> None:
    """Read one of the files with the source."""
    columns: dict[str, Any] = {n: {"type": "date", "format": "%Y%m%d"} for n in ("data_situacao", "inicio")}
    stream = {"path": path, "format": "csv", "delimiter": ";", "header": False, "names": NAMES, "columns": columns}
    consume(stream, folder, into)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder, asked.rows)
        size = (folder / "plain.csv").stat().st_size / 1e9
        packed = (folder / "Estabelecimentos0.zip").stat().st_size / 1e9
        print(f"{asked.rows:,} rows, {len(NAMES)} columns: {size:.2f} GB plain, {packed:.2f} GB zipped")
        took: dict[str, list[tuple[float, float]]] = {"plain": [], "zip": []}
        for nth in range(asked.rounds):
            print(f"round {nth + 1}")
            took["plain"].append(timed("plain UTF-8", partial(read, "plain.csv", folder), folder))
            took["zip"].append(timed("latin-1 zip", partial(read, "Estabelecimentos0.zip", folder), folder))
    middle = {name: [statistics.median(part) for part in zip(*times, strict=True)] for name, times in took.items()}
    wall, cpu = (middle["plain"][i] / middle["zip"][i] for i in (0, 1))
    print(f"the zip is read at {wall:.2f} × the speed of the plain file (cpu {cpu:.2f} ×)")


if __name__ == "__main__":
    main()
