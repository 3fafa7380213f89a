with packed as (select id, struct_pack(who := name, uf := state) as person from bronze.customers)
select id, person.who as who, person from packed where person.uf = 'RS'
