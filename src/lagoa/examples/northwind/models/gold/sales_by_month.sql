/*
description: What each tenant sells, month by month.
checks:
  - unique: [tenant, month]
*/
select
    o.tenant,
    date_trunc('month', o.ordered_on)::date as month,
    count(distinct o.order_id) as orders,
    count(distinct o.customer_id) as customers,
    sum(l.amount)::decimal(14, 2) as revenue
from silver.orders as o
join silver.order_lines as l on l.tenant = o.tenant and l.order_id = o.order_id
group by all
order by tenant, month
