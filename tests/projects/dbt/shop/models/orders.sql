{% set payment_methods = ['credit_card', 'coupon', 'bank_transfer', 'gift_card'] %}

with per_order as (
    select
        order_id,
        {% for payment_method in payment_methods -%}
        sum(case when payment_method = '{{ payment_method }}' then amount else 0 end) as {{ payment_method }}_amount,
        {% endfor -%}
        sum(amount) as total_amount
    from {{ ref('stg_payments') }}
    group by order_id
)

select
    orders.order_id,
    orders.customer_id,
    orders.order_date,
    orders.status,
    {% for payment_method in payment_methods -%}
    per_order.{{ payment_method }}_amount,
    {% endfor -%}
    per_order.total_amount as amount
from {{ ref('stg_orders') }} as orders
left join per_order on orders.order_id = per_order.order_id
