/*
table: silver.payments
description: What was received is what the order is worth.
on_fail: warn
*/
select
    p.order_id,
    p.amount as received,
    sum(i.amount) as worth
from silver.payments as p
join silver.order_items as i on i.order_id = p.order_id
group by all
having received <> worth
