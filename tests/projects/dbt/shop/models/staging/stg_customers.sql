with source as (
    -- a seed stands in for the table that a loader would bring
    select * from {{ ref('raw_customers') }}
),

renamed as (
    select id as customer_id, first_name, last_name from source
)

select * from renamed
