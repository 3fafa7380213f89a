select status, day, sum(amount) as total from bronze.orders group by rollup (status, day)
