select * exclude (dbt_updated_at) from {{ ref('sales_history') }} where dbt_valid_to is null
