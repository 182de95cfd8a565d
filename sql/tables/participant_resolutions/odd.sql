-- Contact methods that no identifier is read from.
-- in:  keys: sources of identifiers
-- out: kind, rows, example
select
    'contact methods without a usable kind and value' as kind,
    count(*) as rows,
    min(contact.id::text) as example
from keys
inner join app.contact_methods as contact on contact.id = keys.id
where keys.source = 'contact_method'
    and not coalesce(contact.kind::text in ('email', 'phone', 'linkedin') and contact.value is not null, false);
