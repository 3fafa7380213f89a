/*
description: What each state buys, and its share.
owner: shop@example.com
columns:
  state: {checks: [unique]}
*/
select
    coalesce(state, 'unknown') as state,
    count(distinct order_id) as orders,
    sum(amount)::decimal(14, 2) as revenue,
    (100 * sum(amount) / sum(sum(amount)) over ())::decimal(5, 1) as share
from silver.sales
group by all
order by revenue desc
