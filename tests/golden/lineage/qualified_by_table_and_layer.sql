select customers.id, bronze.customers.name from bronze.customers where customers.state = 'RS'
