{% macro cents(column, places=2) %}
  {%- if places < 0 -%}{{ exceptions.raise_compiler_error("places") }}{%- endif -%}
  {{ return("round(" ~ column ~ ", " ~ places ~ ")") }}
{% endmacro %}

{% macro big_when(column) -%}
  {%- set limit = var('minimum') -%}
  case when {{ column }} >= {{ limit }} then 'big' else 'small' end
{%- endmacro %}

{% macro asks_database() %}
  {% set found = run_query("select 1") %}
  {{ found.columns[0].values()[0] }}
{% endmacro %}

{% test positive(model, column_name, least=0) %}
select * from {{ model }} where {{ column_name }} <= {{ least }}
{% endtest %}
{% test positive_len(model, column_name, least) %}
select * from {{ model }} where length({{ column_name }}) <= {{ least }}
{% endtest %}
