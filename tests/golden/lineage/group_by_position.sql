select date_trunc('month', day) as month, status, avg(amount) as mean from bronze.orders group by 1, 2
