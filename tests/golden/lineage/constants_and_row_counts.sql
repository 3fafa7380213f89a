select 1 as one, 'x' as text, current_date as today, count(*) as n, count() as m from bronze.orders
