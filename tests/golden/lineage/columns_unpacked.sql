select coalesce(*columns('quantity|price')) as first, greatest(*columns(* exclude (product))) as most
from bronze.items
