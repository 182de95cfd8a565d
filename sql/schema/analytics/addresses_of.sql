-- The addresses in a text as mail programs write it, such as `"Ana K" <ana@x.example>, ben@x.example`: for views that show the
-- recipients of messages that have them as text.
create or replace function analytics.addresses_of(list text) returns setof text
language sql immutable parallel safe rows 3
as $$
    select distinct lower(btrim(coalesce(substring(part from '<([^<>]*)>'), part)))
    from regexp_split_to_table(regexp_replace(list, '"[^"]*"(?=\s*<)', '', 'g'), '[,;\r\n]') as part
    where part like '%@%'
$$;
comment on function analytics.addresses_of is
'The e-mail addresses in a text, each once, in lower case: "Ana K" <ana@x.example>, ben@x.example.';
