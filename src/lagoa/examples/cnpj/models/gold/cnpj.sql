/*
description: All that is published of one CNPJ, in the words of the services that answer for it.
columns:
  cnpj: {checks: [unique, not_null]}
  razao_social: {pii: name}
  qsa: {pii: person, description: Its partners.}
  cnaes_secundarios: {description: 'What else it does: code and words.'}
  regime_tributario: {description: 'How it was taxed, year by year.'}
*/
with partners as (
    select
        cnpj_root,
        list({
            'identificador_de_socio': kind_code,
            'nome_socio': name,
            'cnpj_cpf_do_socio': cpf_or_cnpj,
            'codigo_qualificacao_socio': role_code,
            'qualificacao_socio': role,
            'data_entrada_sociedade': since,
            'codigo_pais': country_code,
            'pais': country,
            'cpf_representante_legal': representative_cpf,
            'nome_representante_legal': coalesce(representative_name, ''),
            'codigo_qualificacao_representante_legal': representative_role_code,
            'qualificacao_representante_legal': representative_role,
            'codigo_faixa_etaria': age_band_code,
            'faixa_etaria': age_band
        } order by name, cpf_or_cnpj, since) as qsa
    from silver.partners
    group by cnpj_root
),

activities as (
    select
        e.cnpj,
        list({'codigo': e.code, 'descricao': a.description} order by e.place) as cnaes_secundarios
    from (
        select
            cnpj,
            unnest(string_split(other_activities, ','))::integer as code,
            generate_subscripts(string_split(other_activities, ','), 1) as place
        from silver.establishments
        where other_activities is not null
    ) as e
    left join bronze.cnpj_activities as a on a.code = e.code
    group by e.cnpj
),

regimes as (
    select
        cnpj,
        list({
            'ano': year,
            'cnpj_da_scp': partnership_cnpj,
            'forma_de_tributacao': regime,
            'quantidade_de_escrituracoes': books
        } order by year, regime, partnership_cnpj) as regime_tributario
    from silver.tax_regimes
    group by cnpj
)

select
    e.cnpj,
    e.head_or_branch_code as identificador_matriz_filial,
    e.head_or_branch as descricao_identificador_matriz_filial,
    c.name as razao_social,
    coalesce(e.trade_name, '') as nome_fantasia,
    e.status_code as situacao_cadastral,
    e.status as descricao_situacao_cadastral,
    e.status_date as data_situacao_cadastral,
    e.status_reason_code as motivo_situacao_cadastral,
    e.status_reason as descricao_motivo_situacao_cadastral,
    coalesce(e.special_status, '') as situacao_especial,
    e.special_status_date as data_situacao_especial,
    e.opened_on as data_inicio_atividade,
    c.legal_nature_code as codigo_natureza_juridica,
    c.legal_nature as natureza_juridica,
    c.responsible_role_code as qualificacao_do_responsavel,
    c.capital as capital_social,
    c.size_code as codigo_porte,
    c.size as porte,
    '' as descricao_porte,
    coalesce(c.federative_entity, '') as ente_federativo_responsavel,
    e.activity_code as cnae_fiscal,
    e.activity as cnae_fiscal_descricao,
    coalesce(a.cnaes_secundarios, []) as cnaes_secundarios,
    coalesce(e.street_type, '') as descricao_tipo_de_logradouro,
    coalesce(e.street, '') as logradouro,
    coalesce(e.number, '') as numero,
    coalesce(e.complement, '') as complemento,
    coalesce(e.district, '') as bairro,
    coalesce(e.zip, '') as cep,
    coalesce(e.state, '') as uf,
    e.city_code as codigo_municipio,
    e.city_ibge_code as codigo_municipio_ibge,
    e.city as municipio,
    coalesce(e.city_abroad, '') as nome_cidade_no_exterior,
    e.country_code as codigo_pais,
    e.country as pais,
    e.phone_1 as ddd_telefone_1,
    e.phone_2 as ddd_telefone_2,
    e.fax as ddd_fax,
    e.email,
    c.is_simples as opcao_pelo_simples,
    c.simples_since as data_opcao_pelo_simples,
    c.simples_until as data_exclusao_do_simples,
    c.is_mei as opcao_pelo_mei,
    c.mei_since as data_opcao_pelo_mei,
    c.mei_until as data_exclusao_do_mei,
    coalesce(p.qsa, []) as qsa,
    coalesce(r.regime_tributario, []) as regime_tributario
from silver.establishments as e
left join silver.companies as c on c.cnpj_root = e.cnpj_root
left join partners as p on p.cnpj_root = e.cnpj_root
left join activities as a on a.cnpj = e.cnpj
left join regimes as r on r.cnpj = e.cnpj
