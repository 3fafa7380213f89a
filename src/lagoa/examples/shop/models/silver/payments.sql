/*
description: One row per payment.
owner: shop@example.com
columns:
  payment_id: {checks: [unique, not_null]}
  method: {checks: [{in: [pix, credit_card, boleto]}]}
  amount: {checks: [{min: 0}]}
*/
select
    payment_id,
    order_id,
    method,
    installments,
    amount,
    paid_at
from bronze.shop_payments
