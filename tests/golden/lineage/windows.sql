select id, sum(amount) over (partition by customer_id order by day) as running,
  row_number() over w as nth, lag(status) over (w rows 1 preceding) as before
from bronze.orders window w as (partition by customer_id order by id desc)
