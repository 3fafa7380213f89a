select id, amount as a from bronze.orders order by a desc, day limit 10
