"""A made-up register of companies in the shape of Receita Federal's files, whose every cell is known."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

Columns = Mapping[str, tuple[str, str]]
"""For each column of a stream: its value, and how the file writes it, both as SQL over `i`."""

_WORDS = (
    "['AÇÃO & CIA', 'D''ÁGUA', 'MÃE \"NINA\"', 'JOSÉ; FILHOS', 'ÓTICA  ÍRIS', 'C:\\NOVA', 'BAR, LTDA', 'ÜBER §1º', "
    "'SÃO JOÃO ', 'ÇA VA', '000', 'N/A', 'NULL']"
)


def _text(value: str) -> tuple[str, str]:
    return value, f"coalesce({value}, '')"


def _whole(value: str, wide: int) -> tuple[str, str]:
    """Make a number that the file pads with zeros."""
    return f"({value})::integer", f"coalesce(lpad(({value})::varchar, {wide}, '0'), '')"


def _day(value: str) -> tuple[str, str]:
    """Make a date; the register writes a missing one as zeros."""
    return f"({value})::date", f"coalesce(strftime(({value})::date, '%Y%m%d'), '00000000')"


def _some(value: str, every: int) -> str:
    return f"case when hash(i, {every}) % {every} > 0 then {value} end"


_ROOT = "lpad((i * 37 % 99999999)::varchar, 8, '0')"
_WORD = f"({_WORDS})[1 + (hash(i) % 13)::int]"
_ANY_DAY = "date '1900-01-01' + (hash(i, 1) % 45000)::int"
_MONEY = "((hash(i, 2) % 100000000000)::decimal(20, 2) / 100)::decimal(20, 2)"
_CPF = "'***' || lpad((hash(i, 3) % 1000000)::varchar, 6, '0') || '**'"

COMPANIES: Columns = {
    "cnpj_root": _text(_ROOT),
    "name": _text(f"{_WORD} || ' ' || i"),
    "legal_nature": _whole("2011 + hash(i, 4) % 2000", 4),
    "responsible_role": _whole("1 + hash(i, 5) % 78", 2),
    "capital": (_MONEY, f"replace({_MONEY}::varchar, '.', ',')"),
    "size": _whole(_some("1 + hash(i, 6) % 5", 9), 2),
    "federative_entity": _text(_some(_WORD, 3)),
}
ESTABLISHMENTS: Columns = {
    "cnpj_root": _text(_ROOT),
    "cnpj_order": _text("lpad((1 + hash(i, 7) % 9999)::varchar, 4, '0')"),
    "cnpj_check": _text("lpad((hash(i, 8) % 100)::varchar, 2, '0')"),
    "head_or_branch": _whole("1 + hash(i, 9) % 2", 1),
    "trade_name": _text(_some(_WORD, 2)),
    "status": _whole("[1, 2, 3, 4, 8][1 + (hash(i, 10) % 5)::int]", 2),
    "status_date": _day(_some(_ANY_DAY, 7)),
    "status_reason": _whole("1 + hash(i, 11) % 80", 2),
    "city_abroad": _text(_some(_WORD, 2)),
    "country": _whole(_some("13 + hash(i, 12) % 900", 2), 3),
    "opened_on": _day(_ANY_DAY),
    "activity": _whole("111301 + hash(i, 13) % 9000000", 7),
    "other_activities": _text(_some("(111301 + i % 9)::varchar || ',' || 6201501", 3)),
    "street_type": _text("['RUA', 'AVENIDA', 'PRAÇA'][1 + (i % 3)::int]"),
    "street": _text(f"{_WORD} || ' ' || i % 97"),
    "number": _text(_some("(1 + i % 9000)::varchar", 5)),
    "complement": _text(_some("'  ANDAR ' || i % 40", 3)),
    "district": _text(_WORD),
    "zip": _text("lpad((1 + hash(i, 14) % 99999998)::varchar, 8, '0')"),
    "state": _text("['SP', 'RJ', 'AC'][1 + (i % 3)::int]"),
    "city": _whole("1 + hash(i, 15) % 9999", 4),
    "area_code_1": _text(_some("(11 + i % 88)::varchar", 4)),
    "phone_1": _text(_some("lpad((1 + hash(i, 16) % 99999999)::varchar, 8, '0')", 4)),
    "area_code_2": _text("null::varchar"),
    "phone_2": _text("null::varchar"),
    "area_code_fax": _text("null::varchar"),
    "fax": _text("null::varchar"),
    "email": _text(_some("'pessoa' || i || '@exemplo.com.br'", 3)),
    "special_status": _text("null::varchar"),
    "special_status_date": _day(_some(_ANY_DAY, 2)),
}
PARTNERS: Columns = {
    "cnpj_root": _text(_ROOT),
    "kind": _whole("1 + hash(i, 17) % 3", 1),
    "name": _text(_WORD),
    "cpf_or_cnpj": _text(_CPF),
    "role": _whole("1 + hash(i, 18) % 78", 2),
    "since": _day(_ANY_DAY),
    "country": _whole(_some("13 + hash(i, 19) % 900", 2), 3),
    "representative_cpf": _text(_CPF),
    "representative_name": _text(_some(_WORD, 2)),
    "representative_role": _whole(_some("1 + hash(i, 20) % 78", 2), 2),
    "age_band": _whole("1 + hash(i, 21) % 9", 1),
}
SIMPLES: Columns = {
    "cnpj_root": _text(_ROOT),
    "is_simples": ("hash(i, 22) % 2 = 0", "case when hash(i, 22) % 2 = 0 then 'S' else 'N' end"),
    "simples_since": _day(_some(_ANY_DAY, 2)),
    "simples_until": _day(_some(_ANY_DAY, 3)),
    "is_mei": ("hash(i, 23) % 2 = 0", "case when hash(i, 23) % 2 = 0 then 'S' else 'N' end"),
    "mei_since": _day(_some(_ANY_DAY, 2)),
    "mei_until": _day(_some(_ANY_DAY, 3)),
}
STREAMS: Mapping[str, tuple[str, Columns, float]] = {
    "companies": ("Empresas", COMPANIES, 0.3),
    "establishments": ("Estabelecimentos", ESTABLISHMENTS, 0.4),
    "partners": ("Socios", PARTNERS, 0.2),
    "simples": ("Simples", SIMPLES, 0.1),
}
"""What is made: the files' name, the columns, and which share of all rows."""


def write_register(folder: Path, rows: int, parts: int = 3) -> Mapping[str, Path]:
    """Write zips of so many rows in all; return the Parquet file of each stream's true cells."""
    folder.mkdir(parents=True, exist_ok=True)
    truths = {}
    with duckdb.connect() as duck:
        for stream, (name, columns, share) in STREAMS.items():
            count = round(rows * share)
            truths[stream] = folder.parent / f"truth_{stream}.parquet"
            true = ", ".join(f"{value} as {column}" for column, (value, _) in columns.items())
            duck.execute(f"copy (select {true} from range({count}) t(i)) to '{truths[stream]}' (format parquet)")
            for part in range(parts):
                _zip(duck, folder / f"{name}{part}.zip", columns, f"range({count}) t(i) where i % {parts} = {part}")
    return truths


def _zip(duck: duckdb.DuckDBPyConnection, path: Path, columns: Columns, rows: str) -> None:
    quoted = [f"""'"' || replace({text}, '"', '""') || '"'""" for _, text in columns.values()]
    found = duck.execute(f"select concat_ws(';', {', '.join(quoted)}) from {rows}")
    inside = f"K3241.K03200Y0.{path.stem.upper()}CSV"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(inside, "w", force_zip64=True) as member,
    ):
        while lines := found.fetchmany(50_000):
            member.write("".join(f"{line}\n" for (line,) in lines).encode("latin-1"))


def wrong_cells(truth: Path, loaded: object, columns: Sequence[str]) -> int:
    """Count the cells that are not as they were made; a row too many or too few counts as all of its cells."""
    names = ", ".join(columns)
    with duckdb.connect() as duck:
        duck.register("loaded", loaded)
        lost = f"(select {names} from '{truth}' except all select {names} from loaded)"
        strange = f"(select {names} from loaded except all select {names} from '{truth}')"
        (count,) = duck.execute(f"select (select count(*) from {lost}) + (select count(*) from {strange})").fetchall()[
            0
        ]
    return int(count) * len(columns)
