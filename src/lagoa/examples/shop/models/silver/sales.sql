/*
kind: view
description: Lines of orders that were not cancelled, with what is known of each; the gold tables read this.
*/
select
    o.order_id,
    o.ordered_at,
    o.channel,
    o.customer_id,
    c.state,
    p.product,
    p.category,
    i.quantity,
    i.amount
from silver.orders as o
join silver.order_items as i on i.order_id = o.order_id
join silver.products as p on p.product_id = i.product_id
left join silver.customers as c on c.customer_id = o.customer_id
where o.status <> 'cancelled'
