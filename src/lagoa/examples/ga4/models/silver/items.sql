/*
description: One row per item of an event.
columns:
  event_id: {checks: [not_null, {foreign_key: silver.events.event_id}]}
  price: {checks: [{min: 0, on_fail: warn}]}
*/
with unnested as (
    select event_id, event_name, unnest(items) as item
    from silver.events
)

select
    event_id,
    event_name,
    item.item_id as item_id,
    item.item_name as item_name,
    item.item_brand as brand,
    item.item_category as category,
    item.quantity::integer as quantity,
    item.price::decimal(18, 6) as price
from unnested
