select distinct on (customer_id) customer_id, amount from bronze.orders order by day
