/*
kind: incremental
key: state
*/
select c.state, count(*) as orders, median(o.days_to_deliver) as median_days, max(o.days_late) as latest
from silver.orders as o
join silver.customers as c on c.customer_id = o.customer_id
where o.status = 'delivered'
group by c.state
