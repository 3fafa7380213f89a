select * from bronze.orders full join bronze.visits using (customer_id)
