select p.order_id, p.x_total + coalesce(p.b_total, 0) as both
from bronze.items as i pivot (sum(quantity) as total for product in ('a' as x, 'b') group by order_id) as p
