/*
description: One row per customer, over all applications of the bank.
owner: bank@example.com
columns:
  customer_id: {checks: [unique, not_null]}
  balance: {description: 'Over all accounts, in reais.'}
  spent_a_month: {description: 'On average over the months in which anything was spent.'}
  quiet_days: {description: Days without a transaction or a visit up to the last day that the bank told of.}
  churn: {description: 'A signal, not a forecast: who has been quiet for long.', checks: [{in: [low, medium, high]}]}
checks:
  - row_count: {min: 1}
*/
with held as (
    select customer_id, sum(balance)::decimal(14, 2) as balance, count(*) as accounts,
        bool_or(kind = 'savings') as saves
    from gold.balances
    group by customer_id
),

spent as (
    select customer_id, avg(spent)::decimal(14, 2) as spent_a_month, max_by(spent, month) as spent_last_month
    from gold.spend_by_month
    group by customer_id
),

moved as (
    select a.customer_id, max(t.happened_at) as last_transaction_at
    from silver.transactions as t
    join silver.accounts as a on a.account_id = t.account_id
    group by a.customer_id
),

seen as (
    select customer_id, max(visited_at) as last_visit_at, count(*) as visits
    from silver.visits
    group by customer_id
),

bought as (
    select customer_id, count(*) as orders, sum(total)::decimal(14, 2) as bought
    from silver.orders
    group by customer_id
),

today as (
    select max(happened_at)::date as day from silver.transactions
),

joined as (
    select
        c.customer_id,
        c.name,
        c.city,
        c.state,
        coalesce(h.accounts, 0) as accounts,
        coalesce(h.saves, false) as saves,
        k.card_id is not null as has_card,
        coalesce(h.balance, 0) as balance,
        coalesce(s.spent_a_month, 0) as spent_a_month,
        coalesce(s.spent_last_month, 0) as spent_last_month,
        coalesce(b.orders, 0) as orders,
        coalesce(b.bought, 0) as bought,
        coalesce(v.visits, 0) as visits,
        v.last_visit_at,
        m.last_transaction_at,
        date_diff('day', greatest(m.last_transaction_at, v.last_visit_at, c.created_at)::date, today.day) as quiet_days
    from silver.customers as c
    cross join today
    left join held as h on h.customer_id = c.customer_id
    left join silver.cards as k on k.customer_id = c.customer_id
    left join spent as s on s.customer_id = c.customer_id
    left join moved as m on m.customer_id = c.customer_id
    left join seen as v on v.customer_id = c.customer_id
    left join bought as b on b.customer_id = c.customer_id
)

select
    *,
    case when quiet_days > 14 then 'high' when quiet_days > 7 then 'medium' else 'low' end as churn
from joined
