/*
description: One row per payment; an order may be paid in parts.
columns:
  order_id: {checks: [not_null, {foreign_key: silver.orders.order_id}]}
  amount: {checks: [{min: 0}]}
*/
select
    order_id,
    payment_sequential as part,
    payment_type as method,
    payment_installments as installments,
    payment_value as amount
from bronze.olist_order_payments
