/*
description: What each tenant sells, over all the years.
columns:
  tenant: {checks: [unique, not_null]}
*/
select
    o.tenant,
    count(distinct o.order_id) as orders,
    count(distinct o.customer_id) as customers,
    sum(l.amount)::decimal(14, 2) as revenue,
    (sum(l.amount) / count(distinct o.order_id))::decimal(12, 2) as average_order,
    min(o.ordered_on) as first_order,
    max(o.ordered_on) as last_order
from silver.orders as o
join silver.order_lines as l on l.tenant = o.tenant and l.order_id = o.order_id
group by o.tenant
