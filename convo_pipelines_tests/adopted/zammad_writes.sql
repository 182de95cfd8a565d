-- What the application's writers do, one statement at a time. %(key)s and %(other)s are keys of rows, %(digit)s is below 10, and
-- nobody had %(new)s before. A writer touches only rows of its {own} keys; {some} are a tenth of them, {one} is one or two.
-- Statements with {table} are of each table.

update public.{table} set updated_at = %(when)s where {own};

delete from public.{table} where {one};

delete from public.ticket_articles where {some};

insert into public.organizations (name) values (%(new)s);

update public.organizations set active = %(flag)s where {one};

insert into public.users (organization_id, login, lastname, email, phone)
values (1 + %(digit)s %% 4, %(new)s, %(new)s, %(email)s, %(phone)s);

update public.users set email = case when %(flag)s then %(email)s else '' end where {one};

update public.users set organization_id = case when %(flag)s then 1 + %(digit)s %% 4 end where {some};

update public.users set mobile = phone, phone = mobile where {some};

insert into public.tickets (number, title, customer_id, organization_id, created_at, updated_at)
values (%(new)s, %(new)s, %(key)s, 1 + %(digit)s %% 4, %(when)s, %(when)s);

update public.tickets set close_at = case when %(flag)s then %(when)s::timestamp end where {some};

update public.tickets set organization_id = case when %(flag)s then 1 + %(digit)s %% 4 end where {one};

insert into public.ticket_articles (ticket_id, sender_id, "from", "to", cc, created_at)
select id, 1 + %(digit)s %% 3, %(email)s::text, 'help@us.example; ' || %(email)s::text, null, %(when)s
from public.tickets where id = %(key)s;

insert into public.ticket_articles (ticket_id, sender_id, "from", "to", created_at)
select id, 1 + n %% 2, 'A' || n || ' <a' || n || '@example.com>', %(email)s, created_at + n * interval '9 hours'
from public.tickets cross join generate_series(1, 4) as n where id = %(key)s;

update public.ticket_articles set cc = cc || ', ' || %(email)s::text where {some};

update public.ticket_articles set cc = null where {one};

update public.ticket_articles set "to" = replace("to", 'c', 'a') where {some};

update public.ticket_articles set "from" = %(email)s, "to" = null, cc = "from" where {one};

update public.ticket_articles set internal = not internal where {one};

update public.ticket_articles set sender_id = 1 + sender_id %% 3 where {one};

update public.ticket_articles set ticket_id = %(other)s where {one};

update public.ticket_articles set created_at = %(when)s where {one};
