/*
description: What is sold of each category, by tenant.
checks:
  - unique: [tenant, category]
*/
select
    l.tenant,
    p.category,
    count(distinct p.product_id) as products,
    sum(l.quantity)::bigint as units,
    sum(l.amount)::decimal(14, 2) as revenue
from silver.order_lines as l
join silver.products as p on p.tenant = l.tenant and p.product_id = l.product_id
group by all
order by tenant, revenue desc
