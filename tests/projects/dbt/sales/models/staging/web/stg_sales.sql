{{ config(tags=['web']) }}
select id as sale_id, customer as customer_id, country, {{ cents('amount') }} as amount, updated_at
from {{ source('shop', 'raw_sales') }}
where updated_at >= '{{ var("start_date") }}'
