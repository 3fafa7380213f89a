/*
description: One row per line of an order, with what it is worth.
owner: shop@example.com
columns:
  product_id: {checks: [{foreign_key: silver.products.product_id}]}
  quantity: {checks: [{min: 1, on_fail: quarantine}]}
  amount: {description: 'Quantity times price, in reais.'}
*/
select
    order_id,
    line,
    product_id,
    quantity,
    unit_price,
    (quantity * unit_price)::decimal(14, 2) as amount
from bronze.shop_items
