/*
description: One row per item of an order.
columns:
  order_id: {checks: [not_null, {foreign_key: silver.orders.order_id}]}
  price: {checks: [{min: 0}]}
*/
select
    order_id,
    order_item_id as item,
    product_id,
    seller_id,
    shipping_limit_date as ship_by,
    price,
    freight_value as freight
from bronze.olist_order_items
