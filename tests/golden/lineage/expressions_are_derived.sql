select upper(name) as name, coalesce(state, 'XX') as state, amount * quantity as total
from bronze.customers, bronze.orders, bronze.items
