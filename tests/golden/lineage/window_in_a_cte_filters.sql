with ranked as (select *, rank() over (partition by customer_id order by amount desc) as place from bronze.orders)
select customer_id, amount, place from ranked where place <= 3
