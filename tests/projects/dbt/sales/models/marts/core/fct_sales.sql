{{
  config(
    materialized='incremental',
    unique_key='sale_id',
    incremental_strategy='delete+insert',
    on_schema_change='append_new_columns',
    post_hook="select 1"
  )
}}
select s.sale_id, s.customer_id, s.amount, s.size, s.sk, s.updated_at, c.name as country
from {{ ref('int_sales') }} as s
left join {{ ref('stg_countries') }} as c on c.code = s.country
{% if is_incremental() %}
where s.updated_at > (select max(updated_at) from {{ this }})
{% endif %}
