/*
description: One row per person, over all the orders that the person made.
columns:
  customer_unique_id: {pii: person, checks: [unique, not_null]}
  orders: {checks: [{min: 1}]}
  spent: {description: 'What was paid, with freight, in reais.'}
  average_score: {description: From 1 to 5; empty when nothing was reviewed.}
checks:
  - row_count: {min: 1}
*/
with paid as (
    select order_id, sum(amount) as amount
    from silver.payments
    group by order_id
),

reviewed as (
    select order_id, avg(score) as score
    from silver.reviews
    group by order_id
)

select
    c.customer_unique_id,
    arg_max(c.state, o.purchased_at) as state,
    count(*) as orders,
    count(*) filter (where o.status = 'delivered') as delivered,
    coalesce(sum(p.amount), 0)::decimal(14, 2) as spent,
    avg(r.score)::decimal(3, 2) as average_score,
    avg(o.days_to_deliver)::decimal(6, 1) as average_days_to_deliver,
    count(*) filter (where o.days_late > 0) as late_orders,
    min(o.purchased_at) as first_order_at,
    max(o.purchased_at) as last_order_at
from silver.customers as c
join silver.orders as o on o.customer_id = c.customer_id
left join paid as p on p.order_id = o.order_id
left join reviewed as r on r.order_id = o.order_id
group by c.customer_unique_id
