select id from bronze.orders order by day
