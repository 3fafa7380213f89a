select c.name, l.amount from bronze.customers as c
join lateral (select amount from bronze.orders as o where o.customer_id = c.id order by day desc limit 1) as l on true
