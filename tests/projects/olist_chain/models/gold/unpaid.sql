/*
kind: incremental
key: order_id
*/
select order_id, customer_id, asked - coalesce(paid, 0) as missing
from silver.order_values
where asked > coalesce(paid, 0)
