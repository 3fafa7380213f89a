/*
description: The products by revenue.
owner: shop@example.com
columns:
  product: {checks: [unique, not_null]}
*/
select
    product,
    category,
    sum(quantity)::bigint as sold,
    sum(amount)::decimal(14, 2) as revenue
from silver.sales
group by all
order by revenue desc
