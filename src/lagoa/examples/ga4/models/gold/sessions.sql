/*
description: One row per visit, as Google Analytics counts them.
columns:
  session_id: {checks: [unique, not_null]}
  user_pseudo_id: {pii: device}
  channel: {description: 'Source and medium of the first event that tells them.'}
  engaged_seconds: {checks: [{min: 0}]}
*/
with told as (
    select
        event_id,
        max(value) filter (where key = 'ga_session_id') as ga_session_id,
        max(value) filter (where key = 'ga_session_number')::integer as session_number,
        max(value) filter (where key = 'source') as source,
        max(value) filter (where key = 'medium') as medium,
        max(value) filter (where key = 'page_location') as page,
        max(value) filter (where key = 'engagement_time_msec')::bigint as engaged_msec,
        max(value) filter (where key = 'session_engaged') as session_engaged
    from silver.event_params
    group by event_id
)

select
    e.user_pseudo_id || '.' || t.ga_session_id as session_id,
    e.user_pseudo_id,
    min(t.session_number) as session_number,
    min(e.event_at) as started_at,
    max(e.event_at) as ended_at,
    count(*) as events,
    count(*) filter (where e.event_name = 'page_view') as page_views,
    arg_min(t.source || ' / ' || coalesce(t.medium, '(none)'), e.event_at) filter (where t.source is not null) as channel,
    arg_min(t.page, e.event_at) as landing_page,
    any_value(e.country) as country,
    any_value(e.device) as device,
    coalesce(bool_or(t.session_engaged = '1'), false) as engaged,
    coalesce(sum(t.engaged_msec), 0)::decimal(18, 3) / 1000 as engaged_seconds,
    count(distinct e.transaction_id) as purchases,
    coalesce(sum(e.purchase_revenue), 0)::decimal(18, 2) as revenue
from silver.events as e
join told as t on t.event_id = e.event_id
where t.ga_session_id is not null
group by e.user_pseudo_id, t.ga_session_id
