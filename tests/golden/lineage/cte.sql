with paid as (select id, customer_id, amount from bronze.orders where status = 'paid')
select customer_id, sum(amount) as total from paid group by customer_id
