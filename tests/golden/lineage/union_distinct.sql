select state from bronze.customers union select status from bronze.orders
