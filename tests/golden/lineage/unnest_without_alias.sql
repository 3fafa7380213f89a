select unnest(tags), id from bronze.orders
