select nome from bronze.customers
