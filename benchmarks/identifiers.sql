-- Contact methods that nobody has resolved: half e-mail addresses, half phone numbers.
-- in:  %(identifiers)s: how many
insert into app.contact_methods (kind, value)
select
    case number %% 2 when 0 then 'email' else 'phone' end,
    case number %% 2 when 0 then 'Somebody' || number || '@Example.com' else '+49 30 ' || 10000000 + number end
from generate_series(1, %(identifiers)s) as number;
