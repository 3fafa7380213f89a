/*
description: One row per product.
owner: shop@example.com
columns:
  product_id: {checks: [unique, not_null]}
  category: {checks: [{in: [café, doces, casa, papel, mesa]}]}
  price: {checks: [{min: 0}]}
*/
select
    product_id,
    name as product,
    category,
    price
from bronze.shop_products
