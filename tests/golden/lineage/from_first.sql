from bronze.customers as c select c.name, state where id > 3
