/*
kind: incremental
key: order_id
*/
select order_id, count(*) as reviews, min(score) as worst, sum(score)::bigint as scores
from bronze.olist_reviews
where not deleted
group by order_id
