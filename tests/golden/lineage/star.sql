select * from bronze.orders where status = 'paid'
