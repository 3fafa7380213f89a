/*
kind: incremental
key: order_id
description: Orders that were neither cancelled nor returned, with what their items add up to.
owner: bank@example.com
columns:
  order_id: {checks: [unique, not_null]}
  total: {checks: [{min: 0}]}
*/
with lines as (
    select order_id, sum(quantity * unit_price)::decimal(14, 2) as total, count(*) as items
    from bronze.bank_items
    group by order_id
)

select o.order_id, o.customer_id, l.items, l.total, o.ordered_at
from bronze.bank_orders as o
join lines as l on l.order_id = o.order_id
where o.status = 'paid'
