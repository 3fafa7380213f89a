/*
kind: incremental
key: customer_unique_id
columns: {customer_unique_id: {pii: person, checks: [unique, not_null]}}
*/
select
    c.customer_unique_id,
    max(c.state) as state,
    count(*) as orders,
    count(*) filter (where v.days_late > 0) as late_orders,
    coalesce(sum(v.paid), 0)::decimal(14, 2) as spent,
    min(v.worst) as worst_score,
    min(v.purchased_at) as first_order_at,
    max(v.purchased_at) as last_order_at
from silver.customers as c
join silver.order_values as v on v.customer_id = c.customer_id
group by c.customer_unique_id
