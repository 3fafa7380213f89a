/*
description: One row per product of an order.
columns:
  quantity: {checks: [{min: 1}]}
  discount: {checks: [{min: 0}, {max: 1}]}
  amount: {description: 'Price times quantity, after the discount.'}
checks:
  - unique: [tenant, order_id, product_id]
*/
select
    tenant,
    OrderID as order_id,
    ProductID as product_id,
    UnitPrice as unit_price,
    Quantity as quantity,
    Discount as discount,
    (UnitPrice * Quantity * (1 - Discount))::decimal(14, 2) as amount
from bronze.northwind_orderdetails
