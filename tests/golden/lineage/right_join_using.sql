select customer_id, score from bronze.orders right join bronze.visits using (customer_id)
