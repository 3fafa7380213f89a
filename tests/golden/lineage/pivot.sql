from bronze.items pivot (sum(quantity) for product in ('a', 'b'))
