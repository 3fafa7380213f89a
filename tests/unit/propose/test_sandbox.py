"""A template of a dbt project renders as in dbt, reaches nothing, and is ended when it takes too long."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lagoa.errors import MissingExtra
from lagoa.propose.dbt.files import macros_of
from lagoa.propose.dbt.nouns import Dbt
from lagoa.propose.dbt.render import Failed, Renderer, rendering

MACROS = """\
{% macro cents(column, places=2) %}
  {{ return("round(" ~ column ~ ", " ~ places ~ ")") }}
{% endmacro %}
{% macro twice(column) -%}{{ cents(column) }} + {{ cents(column, 1) }}{%- endmacro %}
{% macro default__chosen() %}by default{% endmacro %}
{% macro duckdb__chosen() %}by dialect{% endmacro %}
{% macro chosen() %}{{ adapter.dispatch('chosen')() }}{% endmacro %}
{% macro source(a, b) %}{{ return(builtins.source(a, b).include(database=false)) }}{% endmacro %}
{% macro endless(n) %}{{ endless(n) }}{% endmacro %}
"""


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    dbt = Dbt(Path(), "shop", "duckdb", "dev", {"least": 10})
    dbt.macros = list(macros_of("shop", MACROS, "macros/money.sql"))
    with rendering(dbt, {"orders": "silver.orders"}, {"erp.orders": "bronze.erp_orders"}, patience=3) as found:
        yield found


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("from {{ ref('orders') }}", "from silver.orders"),
        ("from {{ ref('shop', 'orders') }}", "from silver.orders"),
        ("from {{ source('erp', 'orders') }}", "from bronze.erp_orders"),
        ("{{ var('least') }} {{ var('most', 20) }}", "10 20"),
        ("{{ cents('a') }}|{{ shop.twice('b') }}", "round(a, 2)|round(b, 2) + round(b, 1)"),
        ("{{ chosen() }}", "by dialect"),
        ("a{% if is_incremental() %} where x > {{ this }}{% endif %}", "a"),
        ("{% for x in [1, 2] %}{{ x }}{{ ',' if not loop.last }}{% endfor %}", "1,2"),
        ("{% set found = [] %}{% do found.append('x') %}{{ found | join }}", "x"),
        ("{{ target.type }} {{ target.name }} {{ env_var('HOME', 'none') }}", "duckdb dev none"),
        ("{{ dbt_utils.star(from=ref('orders'), except=['a', 'b']) }}", "* exclude (a, b)"),
        ("{{ dbt_utils.group_by(3) }}", "group by 1, 2, 3"),
        ("{{ modules.re.sub('[^a-z]+', '_', 'a b-c') }}", "a_b_c"),
        ("{{ (modules.datetime.date(2024, 1, 31) + modules.datetime.timedelta(1)).isoformat() }}", "2024-02-01"),
        ("{{ dbt_utils.slugify('2nd Part, A') }}", "_2nd_part_a"),
        ("{{ dbt.array_append('[1]', 2) }}", "list_append([1], 2)"),
        ("{{ dbt_utils.safe_divide('a', 'b') }}", "( a ) / nullif( ( b ), 0)"),
    ],
)
def test_what_needs_no_database_is_rendered(renderer: Renderer, text: str, rendered: str) -> None:
    assert renderer.text(text, "models/x.sql").text == rendered


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        (
            "{% for c in adapter.get_columns_in_relation(ref('orders')) if c.is_string() %}{{ c.quoted }}{% endfor %}",
            '"state"',
        ),
        ("{{ dbt_utils.star(ref('orders'), except=['ID'], prefix='o_') }}", '"state" as "o_state"'),
        (
            "{{ dbt_utils.unpivot(ref('orders'), exclude=['id']) }}",
            "select id, cast('state' as varchar) as field_name, cast(state as varchar) as value from silver.orders",
        ),
        (
            "{{ dbt_utils.union_relations([ref('orders'), source('erp', 'orders')], include=['id', 'x']) }}",
            'select \'silver.orders\' as _dbt_source_relation, cast("id" as INTEGER) as "id", '
            'cast(null as DOUBLE) as "x" from silver.orders\nunion all\n'
            'select \'bronze.erp_orders\' as _dbt_source_relation, cast("id" as INTEGER) as "id", '
            'cast("x" as DOUBLE) as "x" from bronze.erp_orders',
        ),
        ("{{ dbt_utils.nullcheck_table(ref('orders')) }}", "select id, nullif(state, '') as state from silver.orders"),
    ],
)
def test_what_asks_for_columns_is_rendered_when_they_are_known(renderer: Renderer, text: str, rendered: str) -> None:
    with pytest.raises(Failed) as failed:
        renderer.text(text, "models/x.sql")
    assert failed.value.needs in ("silver.orders", "bronze.erp_orders")
    renderer.learn("silver.orders", {"id": "INTEGER", "state": "VARCHAR"})
    renderer.learn("bronze.erp_orders", {"id": "BIGINT", "x": "DOUBLE"})
    assert renderer.text(text, "models/x.sql").text == rendered
    renderer.close()  # what was learned outlives the process
    assert renderer.text(text, "models/x.sql").text == rendered


def test_configuration_and_variables_that_were_used_are_told(renderer: Renderer) -> None:
    found = renderer.text("{{ config(materialized='table', tags=['a']) }}select {{ var('least') }}", "x.sql")
    assert found.config == {"materialized": "table", "tags": ["a"]}
    assert found.used == {"least": 10}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a\n\n{{ nothing }}", 3, "'nothing' is undefined"),
        ("a\n{% if x", 2, "unexpected end of template"),
        ("\n{{ ref('gone') }}", 2, "nothing of that name"),
        ("{{ source('a', 'b') }}", 1, "is declared nowhere"),
        ("{{ var('gone') }}", 1, "--var gone="),
        ("{{ env_var('least') }}", 1, "has no default"),
        ("{{ env_var('HOME') }}", 1, "with `--var HOME=…`"),
        ("\n\n{{ run_query('select 1') }}", 3, "needs the database"),
        ("{{ adapter.get_relation('a', 'b', 'c') }}", 1, "without a database"),
        ("{{ dbt_utils.get_column_values(ref('orders'), 'x') }}", 1, "needs the rows"),
        ("{{ dbt_utils.unpivot(ref('orders')) }}", 1, "needs the columns of `silver.orders`"),
        ("{{ modules.datetime.datetime.now() }}", 1, "no part of a model: ask `now()`"),
        ("{{ exceptions.raise_compiler_error('no!') }}", 1, "the project itself refuses: no!"),
        ("{{ endless(1) }}", 1, "calls itself without end"),
    ],
)
def test_what_cannot_be_rendered_is_told_with_its_line(renderer: Renderer, text: str, line: int, words: str) -> None:
    with pytest.raises(Failed) as failed:
        renderer.text(text, "models/x.sql")
    assert words in str(failed.value)
    assert failed.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ ref.__globals__ }}",
        "{{ config.__init__.__globals__['sys'].modules }}",
        "{{ joiner.__init__.__globals__ }}",
        "{{ modules.re.enum.sys }}",
        "{{ modules.datetime.sys }}",
        "{{ modules.datetime.datetime.now.__globals__ }}",
        "{{ 'x' * 10 ** 10 }}",
        "{% for a in range(10 ** 9) %}{% endfor %}",
        "{% set n = namespace(x='abcdefgh') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    ],
)
def test_a_template_reaches_neither_python_nor_all_memory(renderer: Renderer, text: str) -> None:
    with pytest.raises(Failed):
        renderer.text(text, "models/x.sql")
    assert renderer.text("{{ var('least') }}", "models/y.sql").text == "10"


def test_a_template_without_end_is_ended_and_the_next_is_rendered(renderer: Renderer) -> None:
    loop = "{% for a in range(9999) %}" * 3 + "{% endfor %}" * 3
    begun = time.monotonic()
    with pytest.raises(Failed, match="longer than 3 s"):
        renderer.text(loop, "models/x.sql")
    assert time.monotonic() - begun < 30
    assert renderer.text("{{ var('least') }}", "models/y.sql").text == "10"


def test_no_python_of_the_folder_is_run(renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jinja2", "yaml", "lagoa"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').write('x')\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert renderer.text("{{ var('least') }}", "models/x.sql").text == "10"
    assert not (tmp_path / "ran").exists()


def test_without_jinja_the_command_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra) as missing:
        Renderer(Dbt(Path(), "shop"), {}, {})
    assert missing.value.hint == "pip install 'lagoa[dbt]'"
