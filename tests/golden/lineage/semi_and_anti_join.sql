select id, amount from bronze.orders as o
semi join bronze.customers as c on c.id = o.customer_id and c.state = 'RS'
anti join bronze.items as i on i.order_id = o.id
