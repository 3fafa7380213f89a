/*
kind: incremental
key: order_id
*/
select order_id, count(*) as parts, sum(amount)::decimal(14, 2) as paid
from bronze.olist_payments
group by order_id
