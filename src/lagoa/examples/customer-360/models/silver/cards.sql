/*
kind: incremental
key: card_id
description: One row per card; its number never lands.
owner: bank@example.com
columns:
  card_id: {checks: [unique, not_null]}
*/
select card_id, customer_id, account_id, brand, credit_limit, issued_on, expires_on
from bronze.bank_cards
