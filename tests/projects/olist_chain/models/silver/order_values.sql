/*
kind: incremental
key: order_id
columns: {order_id: {checks: [unique]}}
*/
with sold as (
    select order_id, count(*) as items, sum(price + freight)::decimal(14, 2) as asked
    from silver.items
    group by order_id
)

select o.order_id, o.customer_id, o.status, o.purchased_at, o.days_late, s.items, s.asked, p.paid, r.worst
from silver.orders as o
left join sold as s on s.order_id = o.order_id
left join silver.payments as p on p.order_id = o.order_id
left join silver.reviews as r on r.order_id = o.order_id
