select o.id, v.score from bronze.orders as o asof join bronze.visits as v on o.customer_id = v.customer_id and o.day >= v.seen
