with people as (
  select id, name from bronze.customers
  union all
  select customer_id, status from bronze.orders where day is not null
)
select p.*, length(name) as letters from people as p
