/*
kind: incremental
key: visit_id
description: One row per visit of somebody who is known.
owner: bank@example.com
columns:
  visit_id: {checks: [unique, not_null]}
  pages: {checks: [{min: 1, on_fail: quarantine}]}
*/
with newest as (
    select visit_id, max(updated_at) as updated_at
    from bronze.bank_visits
    group by visit_id
)

select distinct
    v.visit_id,
    v.customer_id,
    v.landing_page,
    v.pages,
    v.seconds,
    coalesce(v.utm_source, 'direct') as origin,
    v.visited_at
from bronze.bank_visits as v
join newest as n on n.visit_id = v.visit_id and n.updated_at = v.updated_at
where v.deleted_at is null and v.customer_id is not null
