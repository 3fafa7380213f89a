/*
description: One row per company, its codes in words.
key: cnpj_root
columns:
  cnpj_root: {checks: [not_null, unique, {matches: '[0-9A-Z]{8}'}]}
  name: {pii: name}
  capital: {description: In reais.}
  is_simples: {description: Empty when the company never chose.}
*/
select
    c.cnpj_root,
    c.name,
    c.legal_nature as legal_nature_code,
    n.description as legal_nature,
    coalesce(c.responsible_role, 0) as responsible_role_code,
    c.capital,
    coalesce(c.size, 0) as size_code,
    case coalesce(c.size, 0)
        when 1 then 'MICRO EMPRESA'
        when 3 then 'EMPRESA DE PEQUENO PORTE'
        when 5 then 'DEMAIS'
        else 'NÃO INFORMADO'
    end as size,
    c.federative_entity,
    s.is_simples,
    s.simples_since,
    s.simples_until,
    s.is_mei,
    s.mei_since,
    s.mei_until
from bronze.cnpj_companies as c
left join bronze.cnpj_legal_natures as n on n.code = c.legal_nature
left join bronze.cnpj_simples as s on s.cnpj_root = c.cnpj_root
