{% snapshot sales_history %}
{{ config(target_schema='main', unique_key='id', strategy='timestamp', updated_at='updated_at') }}
select * from {{ source('shop', 'raw_sales') }}
{% endsnapshot %}
