select id, lag(amount) over w as before, amount - before as change, change > 0 as rising
from bronze.orders window w as (partition by customer_id order by day, id)
