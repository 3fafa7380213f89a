select date_trunc('month', day) as month, sum(amount) as total, total / count(*) as mean
from bronze.orders group by month having total > 2 order by mean, month limit 3
