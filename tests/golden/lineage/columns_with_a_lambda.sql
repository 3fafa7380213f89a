select columns(lambda c: c like 'a%') from bronze.orders
