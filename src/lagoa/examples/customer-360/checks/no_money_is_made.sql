/*
table: gold.balances
description: What is on all accounts is what was there at the start and what moved since.
*/
with have as (
    select sum(balance) as total from gold.balances
),

moved as (
    select sum(opening_balance) + (select sum(amount) from silver.transactions) as total
    from silver.accounts
)

select have.total as have, moved.total as should_be
from have, moved
where have.total <> moved.total
