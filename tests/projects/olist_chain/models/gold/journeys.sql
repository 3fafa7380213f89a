/*
kind: incremental
key: customer_unique_id
*/
select
    c.customer_unique_id,
    v.order_id,
    rank() over (partition by c.customer_unique_id order by v.purchased_at) as number,
    count(*) over (partition by c.customer_unique_id) as orders
from silver.customers as c
join silver.order_values as v on v.customer_id = c.customer_id
