/*
description: What is sold of each category.
columns:
  category: {checks: [unique, not_null]}
*/
select
    coalesce(p.category, 'unknown') as category,
    count(*) as items,
    sum(i.price)::decimal(14, 2) as revenue,
    count(distinct i.seller_id) as sellers
from silver.order_items as i
left join silver.products as p on p.product_id = i.product_id
group by all
order by revenue desc
