with long as (unpivot bronze.visits on customer_id, score into name kind value n)
select kind, sum(n) as total from long group by all
