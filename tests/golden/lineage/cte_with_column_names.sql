with t(k, v) as (select customer_id, max(amount) from bronze.orders group by 1)
select v as best, k from t
