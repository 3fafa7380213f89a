/*
description: One row per event; the export may bring an event twice.
key: event_id
columns:
  event_id: {checks: [unique, not_null]}
  event_at: {checks: [not_null]}
  user_pseudo_id: {pii: device}
  event_params: {description: 'Key and value of each parameter, as they came.'}
*/
with named as (
    select
        md5(concat_ws('|', user_pseudo_id, event_timestamp, event_name, event_bundle_sequence_id, stream_id)) as event_id,
        *
    from bronze.ga4_events
    where event_params is not null
)

select
    event_id,
    strptime(event_date, '%Y%m%d')::date as event_date,
    make_timestamp(event_timestamp::bigint) as event_at,
    event_name,
    user_pseudo_id,
    stream_id,
    platform,
    device.category as device,
    device.operating_system as operating_system,
    device.web_info.browser as browser,
    geo.country as country,
    geo.city as city,
    ecommerce.transaction_id as transaction_id,
    ecommerce.purchase_revenue::decimal(18, 6) as purchase_revenue,
    event_params,
    items
from named
qualify row_number() over (partition by event_id order by _source) = 1
