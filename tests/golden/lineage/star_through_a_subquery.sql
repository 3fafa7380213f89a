select * exclude (seen) from (select * from bronze.orders join bronze.visits using (customer_id)) where score > 1
