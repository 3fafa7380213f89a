select id, customer_id in (select id from bronze.customers where state = 'SP') as paulista
from bronze.orders where id not in (select order_id from bronze.items)
