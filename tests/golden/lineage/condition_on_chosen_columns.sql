select id from bronze.orders where columns(['id', 'amount']) > 2
