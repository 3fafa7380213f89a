/*
kind: incremental
key: order_id
*/
select v.order_id, v.customer_id, v.paid
from silver.order_values as v
where not exists (select 1 from silver.reviews as r where r.order_id = v.order_id)
