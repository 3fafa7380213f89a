with a as (
  with a as (select id as x, state from bronze.customers where name <> '')
  select x as y from a
), b as (select y as z from a where y > 0)
select z from b
