/*
kind: incremental
key: customer_id
columns: {customer_id: {checks: [unique, not_null]}}
*/
select customer_id, customer_unique_id, upper(city) as city, state
from bronze.olist_customers
