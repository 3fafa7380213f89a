select customer_id, o.amount, v.score from bronze.orders as o join bronze.visits as v using (customer_id)
