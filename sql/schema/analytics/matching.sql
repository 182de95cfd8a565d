create or replace function analytics.confidence_of(method text) returns numeric
language sql immutable parallel safe
return case method
    when 'manual' then 1.00 when 'decision' then 1.00 when 'email' then 0.95 when 'phone' then 0.90 when 'linkedin' then 0.85
end;
comment on function analytics.confidence_of is
'Confidence of a method: 1.00 if set by the application or by a decision, less if an identifier matched.';

create or replace function analytics.kind_of(identifier text) returns text
language sql immutable parallel safe
return case when identifier like '%@%' then 'email' when identifier like '+%' then 'phone' else 'linkedin' end;
comment on function analytics.kind_of is 'The kind of a canonical identifier: email, phone or linkedin.';

create or replace function analytics.holder_of(wanted text[], client uuid) returns table (
    person_id uuid, is_decided boolean, candidate_count bigint
)
language sql stable
as $$
    select
        case
            when count(*) filter (where is_decided) = 1 then min(person_id::text) filter (where is_decided)
            when count(distinct person_id) = 1 then min(person_id::text)
        end::uuid,
        bool_or(is_decided),
        count(distinct person_id)
    from analytics.identifier_holders
    where identifier = any(wanted) and (client is null or client_id = client)
$$;
comment on function analytics.holder_of is
'The person that identifiers, of one contact method or session, name among the persons of a client (null: all persons): the one '
'set by a decision, otherwise the only one who has any of them; and the number of candidates.';
