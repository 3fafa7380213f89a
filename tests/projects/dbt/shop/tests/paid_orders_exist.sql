select payments.order_id
from {{ ref('stg_payments') }} as payments
left join {{ ref('orders') }} as orders on payments.order_id = orders.order_id
where orders.order_id is null
