with recursive tree(id, root) as (
  select id, id from bronze.nodes where parent is null
  union
  select n.id, t.root from bronze.nodes as n join tree as t on n.parent = t.id
)
select id, root from tree
