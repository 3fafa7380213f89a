/*
description: How fast and how dear each shipper is, by tenant.
checks:
  - unique: [tenant, shipper]
*/
select
    tenant,
    shipper,
    count(*) as orders,
    avg(date_diff('day', ordered_on, shipped_on))::decimal(6, 1) as average_days,
    count(*) filter (where shipped_on > required_on) as late,
    sum(freight)::decimal(14, 2) as freight
from silver.orders
where shipped_on is not null
group by all
