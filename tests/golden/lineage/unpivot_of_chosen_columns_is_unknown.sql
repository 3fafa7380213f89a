unpivot bronze.items on columns(* exclude (order_id, product)) into name kind value n
