select id, name from bronze.customers union all by name select amount, id from bronze.orders
