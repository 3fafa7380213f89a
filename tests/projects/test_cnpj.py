"""CNPJ: the register of companies as Receita Federal publishes it, read exactly and put together again."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.projects.cnpj_world import STREAMS, write_register, wrong_cells

from lagoa.app import Project
from lagoa.testing.mouth import Lagoa

Ask = Callable[..., list[dict[str, Any]]]
ROWS = {
    "bronze.cnpj_companies": 2,
    "bronze.cnpj_establishments": 1,
    "bronze.cnpj_partners": 7,
    "bronze.cnpj_simples": 1,
    "bronze.cnpj_activities": 6,
    "bronze.cnpj_reasons": 2,
    "bronze.cnpj_cities": 1,
    "bronze.cnpj_legal_natures": 1,
    "bronze.cnpj_countries": 1,
    "bronze.cnpj_roles": 4,
    "bronze.cnpj_ibge_cities": 1,
    "bronze.regimes_exempt": 1,
    "bronze.regimes_arbitrated": 1,
    "bronze.regimes_presumed": 1,
    "bronze.regimes_real": 1,
}
"""Lines of each kind of file in the real sample."""


def _zip(path: Path, *rows: list[str], header: str = "", mark: str = ";") -> None:
    lines = [mark.join(f'"{value}"' for value in row) for row in rows]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(path.stem, "".join(f"{line}\n" for line in [header, *lines] if line).encode("latin-1"))


def test_every_file_loads_to_the_line_and_a_second_run_has_nothing_to_do(
    shared_data: Path, lagoa: Lagoa, ask: Ask
) -> None:
    data = str(shared_data / "cnpj_tiny")
    assert lagoa("init", "cnpj", "--example", "cnpj").code == 0
    said = lagoa("run", folder="cnpj", CNPJ_DATA=data)
    assert said.code == 0, said.err
    for table, rows in ROWS.items():
        assert ask("cnpj", f"select count(*) as n from {table}", CNPJ_DATA=data) == [{"n": rows}], table
        quarantine = f"quarantine.{table.replace('.', '_')}"
        assert ask("cnpj", f"select count(*) as n from {quarantine}", CNPJ_DATA=data) == [{"n": 0}], table
    (capital,) = ask(
        "cnpj", "select capital, typeof(capital) as kind from silver.companies order by 1 desc limit 1", CNPJ_DATA=data
    )
    assert capital == {"capital": 1061004829.23, "kind": "DECIMAL(20,2)"}
    (name,) = ask("cnpj", "select description from bronze.cnpj_legal_natures", CNPJ_DATA=data)
    assert name == {"description": "Empresa Pública"}
    assert lagoa("run", folder="cnpj", CNPJ_DATA=data).out.startswith("Nothing to write.")


def test_the_answer_of_the_public_service_is_reproduced_field_by_field(
    home: Path, shared_data: Path, lagoa: Lagoa, ask: Ask
) -> None:
    """The sample lacks the establishment of `response.json`: its lines are written as the register has them."""
    answer = json.loads((shared_data / "cnpj_tiny/response.json").read_text("utf-8"))
    data = home / "data"
    shutil.copytree(shared_data / "cnpj_tiny", data, copy_function=shutil.copyfile)
    data.chmod(0o755)
    _write_what_the_sample_lacks(data, answer)
    assert lagoa("init", "cnpj", "--example", "cnpj").code == 0
    said = lagoa("run", folder="cnpj", CNPJ_DATA=str(data))
    assert said.code == 0, said.err
    (found,) = ask("cnpj", f"select * from gold.cnpj where cnpj = '{answer['cnpj']}'", CNPJ_DATA=str(data))
    partners, expected = found.pop("qsa"), answer.pop("qsa")
    wrong = {key: (found.get(key), value) for key, value in answer.items() if found.get(key) != value}
    assert wrong == {}
    assert set(found) == set(answer)
    assert [p for p in partners if p in expected] == expected
    # the register of the sample is older than the answer: it knows the partner of then
    assert [p["nome_socio"] for p in partners if p not in expected] == ["FERNANDA CAMPAGNUCCI PEREIRA"]


def _write_what_the_sample_lacks(data: Path, answer: dict[str, Any]) -> None:
    def day(text: str | None) -> str:
        return (text or "00000000").replace("-", "")

    root = answer["cnpj"][:8]
    others = ",".join(str(a["codigo"]) for a in answer["cnaes_secundarios"])
    phone = answer["ddd_telefone_1"]
    establishment = [
        *(root, answer["cnpj"][8:12], answer["cnpj"][12:], "1", "", "02", day(answer["data_situacao_cadastral"])),
        *("00", "", "", day(answer["data_inicio_atividade"]), str(answer["cnae_fiscal"]), others),
        *(answer[k] for k in ("descricao_tipo_de_logradouro", "logradouro", "numero", "complemento", "bairro", "cep")),
        *(answer["uf"], str(answer["codigo_municipio"]), phone[:2], phone[2:], "", "", "", "", "", "", ""),
    ]
    _zip(data / "Estabelecimentos1.zip", establishment)
    partners = [
        [
            *(root, str(p["identificador_de_socio"]), p["nome_socio"], p["cnpj_cpf_do_socio"]),
            *(str(p["codigo_qualificacao_socio"]), day(p["data_entrada_sociedade"]), "", p["cpf_representante_legal"]),
            *("", "00", str(p["codigo_faixa_etaria"])),
        ]
        for p in answer["qsa"]
    ]
    _zip(data / "Socios1.zip", *partners)
    # one activity of the answer is in the sample already: the file of activities lists each once
    activities = [[str(a["codigo"]), a["descricao"]] for a in answer["cnaes_secundarios"] if a["codigo"] != 6204000]
    _zip(data / "Cnaes1.zip", [str(answer["cnae_fiscal"]), answer["cnae_fiscal_descricao"]], *activities)
    _zip(data / "Municipios1.zip", [str(answer["codigo_municipio"]), answer["municipio"]])
    _zip(data / "Naturezas1.zip", [str(answer["codigo_natureza_juridica"]), answer["natureza_juridica"]])
    cnpj = f"{root[:2]}.{root[2:5]}.{root[5:]}/{answer['cnpj'][8:12]}-{answer['cnpj'][12:]}"
    years = [[str(r["ano"]), cnpj, "0", r["forma_de_tributacao"], "1"] for r in answer["regime_tributario"]]
    header = "ano,cnpj,cnpj_da_scp,forma_de_tributacao,quantidade_de_escrituracoes"
    _zip(data / "Imunes e Isentas 1.zip", *years, header=header, mark=",")
    with (data / "tabmun.csv").open("a", encoding="latin-1") as file:
        file.write(f"\n{answer['codigo_municipio']};46395000000139;SAO PAULO   ;SP;{answer['codigo_municipio_ibge']}\n")


def test_what_is_personal_is_marked_from_the_files_to_the_last_table(
    shared_data: Path, lagoa: Lagoa, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    data = str(shared_data / "cnpj_tiny")
    assert lagoa("init", "cnpj", "--example", "cnpj").code == 0
    assert lagoa("run", "-q", folder="cnpj", CNPJ_DATA=data).code == 0
    for table in ("bronze.cnpj_partners", "silver.partners", "gold.cnpj"):
        said = lagoa("show", table, folder="cnpj", CNPJ_DATA=data)
        assert said.code == 0, said.err
        for value in ("220050", "ANDRE DE CESERO", "GILENO"):
            assert value not in said.out, table
    for log in (home / "cnpj/lake").rglob("_delta_log/*.json"):
        assert "220050" not in log.read_text("utf-8"), log
    monkeypatch.setenv("CNPJ_DATA", data)
    with Project.open(home / "cnpj") as project:
        columns = project.project.sources["cnpj"].source.streams["partners"].columns
        assert {n: c.pii for n, c in columns.items() if c.pii} == {
            "name": "name",
            "cpf_or_cnpj": "cpf",
            "representative_cpf": "cpf",
            "representative_name": "name",
        }


@pytest.mark.slow
def test_a_made_up_register_loads_without_one_wrong_cell(
    home: Path, shared_data: Path, lagoa: Lagoa, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 1_000_000 if os.environ.get("SOAK") else 20_000
    data = home / "data"
    truths = write_register(data, rows)
    for small in ("Cnaes", "Motivos", "Municipios", "Naturezas", "Paises", "Qualificacoes"):
        shutil.copyfile(shared_data / f"cnpj_tiny/{small}.zip", data / f"{small}.zip")
    assert lagoa("init", "cnpj", "--example", "cnpj").code == 0
    chosen = [f"bronze.cnpj_{stream}" for stream in STREAMS]
    said = lagoa("run", "-s", " ".join(chosen), folder="cnpj", CNPJ_DATA=str(data))
    assert said.code == 0, said.err
    monkeypatch.setenv("CNPJ_DATA", str(data))
    with Project.open(home / "cnpj") as project:
        for stream, (_, columns, share) in STREAMS.items():
            loaded = project.query(f"select * from bronze.cnpj_{stream}").read_all()
            assert loaded.num_rows == round(rows * share), stream
            assert wrong_cells(truths[stream], loaded, list(columns)) == 0, stream
