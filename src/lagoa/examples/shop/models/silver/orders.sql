/*
description: One row per order.
owner: shop@example.com
key: order_id
columns:
  order_id: {checks: [unique, not_null]}
  status: {checks: [{in: [paid, shipped, delivered, cancelled]}]}
  channel: {description: 'site, app or loja.'}
*/
select
    order_id,
    customer_id,
    ordered_at,
    status,
    channel
from bronze.shop_orders
