/*
description: One row per order, with the days that it took.
key: order_id
columns:
  order_id: {checks: [unique, not_null]}
  customer_id: {checks: [unique, {foreign_key: silver.customers.customer_id}]}
  status:
    checks:
      - in: [created, approved, invoiced, processing, shipped, delivered, canceled, unavailable]
  days_to_deliver: {description: From purchase to the customer's door.}
  days_late: {description: Positive when it came after the promised day.}
*/
select
    order_id,
    customer_id,
    order_status as status,
    order_purchase_timestamp as purchased_at,
    order_approved_at as approved_at,
    order_delivered_customer_date as delivered_at,
    order_estimated_delivery_date::date as promised_for,
    date_diff('day', order_purchase_timestamp, order_delivered_customer_date) as days_to_deliver,
    date_diff('day', order_estimated_delivery_date::date, order_delivered_customer_date::date) as days_late
from bronze.olist_orders
