select o.*, c.name from bronze.orders as o join bronze.customers as c on c.id = o.customer_id
