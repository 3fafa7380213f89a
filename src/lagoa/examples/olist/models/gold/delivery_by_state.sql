/*
description: How long deliveries take, and what customers think of them, by the customer's state.
columns:
  state: {checks: [unique, not_null]}
*/
select
    c.state,
    count(*) as orders,
    median(o.days_to_deliver) as median_days,
    (100.0 * count(*) filter (where o.days_late > 0) / count(*))::decimal(5, 1) as late_share,
    avg(r.score)::decimal(3, 2) as average_score
from silver.orders as o
join silver.customers as c on c.customer_id = o.customer_id
left join (
    select order_id, avg(score) as score
    from silver.reviews
    group by order_id
) as r on r.order_id = o.order_id
where o.status = 'delivered'
group by c.state
order by orders desc
