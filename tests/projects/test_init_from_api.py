"""`lagoa init --from` of an OpenAPI document and of presets: sources that read servers of the shape they describe."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lagoa.propose.preset import presets
from lagoa.testing.mouth import Lagoa
from lagoa.testing.web import Asked, Reply, Web

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


def at(home: Path, source: str, web: Web, token_url: str | None = None) -> None:
    """Let a source that was written ask the test's server, and nothing else be changed."""
    file = home / f"new/sources/{source}.yml"
    text = file.read_text("utf-8")
    url = yaml.safe_load(text)["url"]
    text = text.replace(url, web.url).replace("type: rest", "type: rest\nallow_private: true\nretries: 0")
    file.write_text(text.replace(token_url, f"{web.url}/token") if token_url else text, "utf-8")


def streams(home: Path, source: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((home / f"new/sources/{source}.yml").read_text("utf-8"))
    return found


# ---------------------------------------------------------------- presets
def test_every_preset_becomes_a_project(lagoa: Lagoa) -> None:
    for name in presets():
        assert lagoa("init", name, "--from", f"preset:{name}").code == 0
        assert lagoa("validate", folder=name).code == 0
    said = lagoa("init", "x", "--from", "preset:ibje")
    assert (said.code, "did you mean `ibge`?" in said.err) == (2, True)


def test_ibge_by_the_shape_of_its_answers(lagoa: Lagoa, home: Path, ask: Ask, web: Web, shared_data: Path) -> None:
    with (shared_data / "ibge_municipios/estados.csv").open(encoding="utf-8-sig") as file:
        states = [
            {"id": int(r["codigo_uf"]), "sigla": r["uf"], "nome": r["nome"], "regiao": {"id": 1, "nome": r["regiao"]}}
            for r in csv.DictReader(file)
        ]
    by_id = {state["id"]: state for state in states}
    with (shared_data / "ibge_municipios/municipios.csv").open(encoding="utf-8-sig") as file:
        towns = [
            {"id": int(r["codigo_ibge"]), "nome": r["nome"], "regiao-imediata": {"UF": by_id[int(r["codigo_uf"])]}}
            for r in csv.DictReader(file)
        ]
    web.route("/v1/localidades/estados", lambda _: states)
    web.route("/v1/localidades/municipios", lambda _: towns)
    series = [
        {
            "localidade": {"id": str(t["id"]), "nivel": {"id": "N6"}, "nome": t["nome"]},
            "serie": {"2021": "7", "2024": "..."},
        }
        for t in towns
    ]
    answer = [{"id": "9324", "variavel": "População", "resultados": [{"classificacoes": [], "series": series}]}]
    web.route(
        "/v3/agregados/6579/periodos/-6/variaveis/9324", lambda a: answer if a.query["localidades"] == "N6[all]" else []
    )
    assert lagoa("init", "new", "--from", "preset:ibge").code == 0
    at(home, "ibge", web)
    assert lagoa("run", folder="new").code == 0
    found = ask(
        "new", 'select count(*) as n, count(distinct regiao_imediata."UF".sigla) as s from bronze.ibge_municipalities'
    )
    assert found == [{"n": len(towns), "s": 27}]
    assert ask("new", "select count(*) as n, min(serie) as s from bronze.ibge_population") == [
        {"n": len(towns), "s": '{"2021":"7","2024":"..."}'}
    ]


def test_brasilapi_by_the_shape_of_its_answers(lagoa: Lagoa, home: Path, ask: Ask, web: Web, shared_data: Path) -> None:
    banks = json.loads((shared_data / "api/brasilapi_banksList.json").read_text("utf-8"))
    funds = [{"cnpj": f"{n:014}", "codigo_cvm": str(n)} for n in range(450)]
    for path in ("/cvm/corretoras/v1", "/taxas/v1", "/pix/v1/participants", "/ncm/v1"):
        web.route(path, lambda _: [{"nome": "x", "valor": 13.75}])
    web.route("/banks/v1", lambda _: banks)
    web.route("/ibge/uf/v1", lambda _: [{"id": 33, "sigla": "RJ"}, {"id": 35, "sigla": "SP"}])
    web.route("/ibge/municipios/v1/*", lambda a: [{"nome": a.path[-2:], "codigo_ibge": "1"}])

    def paged(asked: Asked) -> Any:
        page, size = int(asked.query["page"]), int(asked.query["size"])
        return {"data": funds[(page - 1) * size :][:size], "page": page, "size": size}

    web.route("/cvm/fundos/v1", paged)
    assert lagoa("init", "new", "--from", "preset:brasilapi").code == 0
    at(home, "brasilapi", web)
    file = home / "new/sources/brasilapi.yml"
    file.write_text(file.read_text().replace("rate: 3", "rate: 1000"))
    assert lagoa("run", folder="new").code == 0
    found = ask(
        "new", "select (select count(*) from bronze.brasilapi_banks) as b, count(*) as f from bronze.brasilapi_funds"
    )
    assert found == [{"b": len(banks), "f": 450}]
    assert ask("new", "select nome, states_sigla from bronze.brasilapi_municipalities order by 1") == [
        {"nome": "RJ", "states_sigla": "RJ"},
        {"nome": "SP", "states_sigla": "SP"},
    ]


def test_anp_by_its_own_file(lagoa: Lagoa, home: Path, ask: Ask, web: Web, shared_data: Path) -> None:
    body = (shared_data / "anp/ultimas-4-semanas-glp.csv").read_bytes()
    web.route("/qus/*", lambda _: Reply(body, headers={"Content-Type": "text/csv"}))
    assert lagoa("init", "new", "--from", "preset:anp").code == 0
    at(home, "anp", web)
    said = lagoa("run", folder="new")
    assert said.code == 0, said.err
    found = ask(
        "new",
        "select count(*) as n, typeof(any_value(valor_de_venda)) as t, max(length(cnpj_da_revenda)) as c, "
        "count(data_da_coleta) as d from bronze.anp_lpg",
    )
    count = len(list(csv.reader(body.decode("utf-8-sig").splitlines(), delimiter=";"))) - 1
    assert found == [{"n": count, "t": "DECIMAL(10,3)", "c": 18, "d": count}]


def test_ga4_by_the_shape_of_its_reports(lagoa: Lagoa, home: Path, ask: Ask, web: Web) -> None:
    rows = [{"dimensionValues": [{"value": f"2024{n:04}"}], "metricValues": [{"value": str(n)}]} for n in range(12_345)]

    def report(asked: Asked) -> Any:
        said = asked.json()
        assert asked.headers["Authorization"] == "Bearer ya29.x"
        page = rows[int(said["offset"]) :][: int(said["limit"])]
        return {"dimensionHeaders": [], **({"rows": page} if page else {}), "rowCount": len(rows), "kind": "x"}

    web.route("/properties/7:runReport", report)
    web.route("/token", lambda _: {"access_token": "ya29.x", "expires_in": 3599})
    assert lagoa("init", "new", "--from", "preset:ga4", GA4_PROPERTY="7").code == 0
    at(home, "ga4", web, "https://oauth2.googleapis.com/token")
    assert lagoa("run", folder="new", GA4_PROPERTY="7").code == 0
    sql = "select count(*) as n, sum(metricvalues[1].value::int)::int as s from bronze.ga4_traffic"
    assert ask("new", sql) == [{"n": len(rows), "s": sum(range(len(rows)))}]
    assert b"fill-in" in next(a.body for a in web.asked if a.path == "/token")


# ---------------------------------------------------------------- OpenAPI
def test_the_document_of_brasilapi_becomes_a_source(lagoa: Lagoa, home: Path, shared_data: Path) -> None:
    said = lagoa("init", "new", "--from", str(shared_data / "api/brasilapi_openapi"))
    assert said.code == 0, said.err
    source = streams(home, "brasil_api")
    assert source["url"] == "https://brasilapi.com.br/api"
    found = source["streams"]
    assert found["cvm_fundos"] == {
        "path": "/cvm/fundos/v1",
        "mode": "replace",
        "records": "$.data",
        "paging": {"by": "page"},
    }
    assert found["hospitais"]["paging"] == {"by": "offset", "size": 500, "total_rows": "$.total"}
    assert found["cvm_corretoras"]["columns"]["email"] == {"pii": "email"}
    assert found["indices_igpm_ultimos"]["params"] == {"limit": 12}
    assert len(found) > 25
    text = (home / "new/sources/brasil_api.yml").read_text("utf-8")
    assert "# left out: /banks/v1/{code}: it gives one object, no list" in text


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Loja"},
    "servers": [{"url": "https://{tenant}.example.com/v2", "variables": {"tenant": {"default": "loja"}}}],
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "k"}},
        "parameters": {"Limit": {"name": "per_page", "in": "query", "schema": {"type": "integer", "maximum": 50}}},
        "schemas": {
            "Order": {
                "allOf": [
                    {"type": "object", "properties": {"id": {"type": "integer"}}},
                    {
                        "properties": {
                            "updated_at": {"type": "string", "format": "date-time"},
                            "cpf": {"type": "string"},
                        }
                    },
                ]
            },
            "Loop": {"$ref": "#/components/schemas/Loop"},
        },
    },
    "paths": {
        "/orders": {
            "parameters": [{"$ref": "#/components/parameters/Limit"}],
            "get": {
                "summary": "All orders",
                "parameters": [
                    {"name": "cursor", "in": "query", "schema": {"type": "string"}},
                    {"name": "updated_since", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": {
                    200: {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "data": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}},
                                        "meta": {"type": "object", "properties": {"next_cursor": {"type": "string"}}},
                                    },
                                }
                            }
                        }
                    }
                },
            },
        },
        "/orders/{order_id}/items": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}}
                }
            }
        },
        "/loop": {"get": {"responses": {"200": {"$ref": "#/components/schemas/Loop"}}}},
        "/outside": {"get": {"responses": {"200": {"$ref": "https://evil.example/x.json#/a"}}}},
        "/odd": {"get": {"responses": []}},
        "/none": None,
    },
}


@pytest.mark.parametrize("ending", ["json", "yml"])
def test_a_described_list_is_read_as_described(lagoa: Lagoa, home: Path, ask: Ask, web: Web, ending: str) -> None:
    document = home / f"openapi.{ending}"
    document.write_text(json.dumps(DOCUMENT) if ending == "json" else yaml.safe_dump(DOCUMENT), "utf-8")
    said = lagoa("init", "new", "--from", str(document))
    assert said.code == 0, said.err
    assert "Fill in LOJA_KEY in .env" in said.err + said.out
    source = streams(home, "loja")
    assert source["url"] == "https://loja.example.com/v2"
    assert source["auth"] == {"api_key": "${secret:loja_key}", "query": "k"}
    assert source["streams"]["orders"] == {
        "path": "/orders",
        "mode": "merge",
        "key": "id",
        "cursor": "updated_at",
        "records": "$.data",
        "paging": {"by": "cursor", "next": "$.meta.next_cursor", "size": 50, "size_param": "per_page"},
        "params": {"updated_since": "{cursor}"},
        "columns": {"cpf": {"pii": "cpf"}},
    }
    assert source["streams"]["orders_items"]["path"] == "/orders/{orders.id}/items"
    orders = [{"id": n, "updated_at": f"2024-01-{n:02}T00:00:00Z", "cpf": "1"} for n in range(1, 8)]

    def answer(asked: Asked) -> Any:
        assert asked.query["k"] == "fill-in"
        start = int(asked.query.get("cursor", 0))
        return {"data": orders[start : start + 3], "meta": {"next_cursor": start + 3 if start < 6 else None}}

    web.route("/orders", answer)
    web.route("/orders/*", lambda a: [{"sku": a.path}])
    at(home, "loja", web)
    run = lagoa("run", folder="new")
    assert run.code == 0, run.err
    assert ask("new", "select count(*) as n, sum(orders_id)::int as s from bronze.loja_orders_items") == [
        {"n": 7, "s": 28}
    ]
    assert lagoa("run", folder="new").code == 0
    assert "2024-01-07T00:00:00Z" in [a.query.get("updated_since") for a in web.asked]


def test_a_file_that_only_resembles_a_document_is_data(lagoa: Lagoa, home: Path) -> None:
    (home / "data.json").write_text('[{"openapi": "3.0", "paths": 1}, {"openapi": "3.1", "paths": 2}]')
    assert lagoa("init", "new", "--from", "data.json").code == 0
    assert streams(home, "data")["type"] == "files"
