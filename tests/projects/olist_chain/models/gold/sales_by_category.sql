/*
kind: incremental
key: category
*/
select coalesce(category, 'unknown') as category, count(*) as items, sum(price)::decimal(14, 2) as revenue
from silver.items
group by coalesce(category, 'unknown')
