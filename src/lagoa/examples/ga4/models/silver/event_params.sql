/*
description: One row per parameter of an event, its value as text.
columns:
  event_id: {checks: [not_null, {foreign_key: silver.events.event_id}]}
  key: {checks: [not_null]}
*/
with params as (
    select event_id, unnest(event_params) as param
    from silver.events
)

select
    event_id,
    param.key as key,
    coalesce(
        param.value.string_value::varchar,
        param.value.int_value::varchar,
        param.value.float_value::varchar,
        param.value.double_value::varchar
    ) as value
from params
