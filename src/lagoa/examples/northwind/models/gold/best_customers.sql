/*
description: Customers by what they bought, with their rank within the tenant.
checks:
  - unique: [tenant, customer_id]
*/
select
    c.tenant,
    c.customer_id,
    c.company,
    c.country,
    count(distinct o.order_id) as orders,
    sum(l.amount)::decimal(14, 2) as revenue,
    rank() over (partition by c.tenant order by sum(l.amount) desc) as rank
from silver.customers as c
join silver.orders as o on o.tenant = c.tenant and o.customer_id = c.customer_id
join silver.order_lines as l on l.tenant = o.tenant and l.order_id = o.order_id
group by c.tenant, c.customer_id, c.company, c.country
