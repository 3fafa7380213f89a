/*
kind: incremental
key: account_id
description: One row per account.
owner: bank@example.com
columns:
  account_id: {checks: [unique, not_null]}
  customer_id: {checks: [{foreign_key: bronze.bank_customers.customer_id}]}
  kind: {checks: [{in: [checking, savings]}]}
*/
select account_id, customer_id, kind, overdraft, opening_balance, opened_on
from bronze.bank_accounts
