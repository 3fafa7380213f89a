/*
description: What was sold, month by month.
columns:
  month: {checks: [unique, not_null]}
*/
select
    date_trunc('month', o.purchased_at)::date as month,
    count(distinct o.order_id) as orders,
    sum(i.price)::decimal(14, 2) as revenue,
    sum(i.freight)::decimal(14, 2) as freight
from silver.orders as o
join silver.order_items as i on i.order_id = o.order_id
where o.status not in ('canceled', 'unavailable')
group by all
order by month
