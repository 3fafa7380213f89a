select c, count(c.seen) as n from bronze.visits as c group by c
