select id, name from bronze.customers
union all
select customer_id, upper(status) from bronze.orders where amount > 0
