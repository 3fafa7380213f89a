/*
description: What the shop sells, month by month.
owner: shop@example.com
columns:
  month: {checks: [unique, not_null]}
  revenue: {description: In reais., checks: [{min: 0}]}
  average_ticket: {description: Revenue per order.}
*/
select
    date_trunc('month', ordered_at)::date as month,
    count(distinct order_id) as orders,
    count(distinct customer_id) as customers,
    sum(amount)::decimal(14, 2) as revenue,
    (sum(amount) / count(distinct order_id))::decimal(12, 2) as average_ticket
from silver.sales
group by all
order by month
