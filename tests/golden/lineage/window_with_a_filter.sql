select id, count(*) filter (where status = 'paid') over (partition by customer_id) as paid,
  first_value(amount) over (partition by customer_id order by day, id) as first
from bronze.orders
