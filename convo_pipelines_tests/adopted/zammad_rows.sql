insert into public.organizations (name, active)
select 'Organization ' || n, n <> 4
from generate_series(1, 4) as n;

insert into public.users (organization_id, login, firstname, lastname, email, phone, mobile)
select
    case when n % 9 > 0 then 1 + n % 4 end, 'user' || n, case when n % 7 > 0 then 'First' || n else '' end, 'Last' || n,
    case when n % 3 > 0 then 'c' || n % 25 || '@example.com' else '' end,
    case when n % 4 > 0 then '+49151123456' || lpad((n % 15)::text, 2, '0') else '' end,
    case when n % 5 = 0 then '+49151123457' || lpad((n % 15)::text, 2, '0') else '' end
from generate_series(1, 40) as n;

insert into public.tickets (number, title, customer_id, organization_id, close_at, created_at, updated_at)
select
    '20' || n, 'Ticket ' || n, 1 + n % 40, case when n % 5 > 0 then 1 + n % 4 end,
    case when n % 3 = 0 then timestamp '2026-03-09' + n * interval '3 hours' end,
    timestamp '2026-03-05' + n * interval '2 hours', '2026-03-05'
from generate_series(1, 60) as n;

insert into public.ticket_articles (ticket_id, sender_id, internal, "from", "to", cc, created_at)
select
    1 + n % 60, 1 + n % 3, n % 11 = 0,
    (array['C' || n % 25 || '@Example.com', '"Last, First" <c' || n % 25 || '@example.com>', 'Support <help@us.example>'])[1 + n % 3],
    case when n % 4 > 0 then 'help@us.example, c' || n % 13 || '@example.com' end,
    case n % 5 when 0 then 'c1@example.com; c2@example.com, Somebody <c' || n % 25 || '@example.com>' when 1 then '' end,
    timestamp '2026-03-05' + n * interval '53 minutes'
from generate_series(1, 240) as n;
