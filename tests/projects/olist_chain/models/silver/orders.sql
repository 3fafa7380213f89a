/*
kind: incremental
key: order_id
columns: {order_id: {checks: [unique, not_null]}}
*/
select
    order_id,
    customer_id,
    status,
    purchased_at,
    date_diff('day', purchased_at, delivered_at) as days_to_deliver,
    date_diff('day', promised_for, delivered_at::date) as days_late
from bronze.olist_orders
