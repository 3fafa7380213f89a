select id from bronze.customers
except select customer_id from bronze.orders where status = 'void'
intersect select order_id from bronze.items
