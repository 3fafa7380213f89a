select max(columns('.*id')), min(columns(* exclude (tags, status))) from bronze.orders
