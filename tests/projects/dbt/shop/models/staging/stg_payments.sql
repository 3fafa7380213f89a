select
    id as payment_id,
    order_id,
    payment_method,
    -- amounts are kept in cents
    amount / {{ var('currency_factor') }} as amount
from {{ ref('raw_payments') }}
