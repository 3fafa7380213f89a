{{ config(materialized='incremental') }}
select sale_id, updated_at from {{ ref('stg_sales') }}
{% if is_incremental() %} where updated_at > (select max(updated_at) from {{ this }}) {% endif %}
