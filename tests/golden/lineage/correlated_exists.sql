select name from bronze.customers as c
where exists (select 1 from bronze.orders as o where o.customer_id = c.id and o.status = 'paid')
