select id, unnest(tags) as tag from bronze.orders
