(select x.id, x.s from (select id, state as s from bronze.customers where cpf <> '') as x
  join (bronze.orders as o join bronze.items as i on i.order_id = o.id) on o.customer_id = x.id)
