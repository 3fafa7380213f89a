select c.name, (select sum(amount) from bronze.orders where customer_id = c.id) as spent from bronze.customers as c
