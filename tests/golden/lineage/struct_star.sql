select id, address.* from bronze.customers
