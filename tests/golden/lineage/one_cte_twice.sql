with t as (select customer_id, sum(amount) as total from bronze.orders group by 1)
select a.customer_id, a.total - coalesce(b.total, 0) as gap
from t as a left join t as b on b.customer_id = a.customer_id - 1
