-- The key that Salesforce gives to a row: the prefix says of which object.
create or replace function salesforce.key_of(prefix text, number bigint) returns text
language sql immutable
return prefix || lpad(number::text, 15, '0');

insert into salesforce.account (sfid, name, type, isdeleted, createddate, systemmodstamp)
select salesforce.key_of('001', n), 'Account ' || n, 'Customer', n = 4, '2026-03-01', '2026-03-01'
from generate_series(1, 4) as n;

insert into salesforce.contact
(sfid, accountid, name, lastname, email, phone, mobilephone, isdeleted, createddate, systemmodstamp)
select
    salesforce.key_of('003', n),
    case when n % 9 > 0 then salesforce.key_of('001', 1 + n % 4) end,
    'Contact ' || n, 'Contact ' || n,
    case when n % 3 > 0 then 'c' || n % 25 || '@example.com' end,
    case when n % 4 > 0 then '+49151123456' || lpad((n % 15)::text, 2, '0') end,
    case when n % 5 = 0 then '+49151123457' || lpad((n % 15)::text, 2, '0') end,
    n % 11 = 0, '2026-03-02', '2026-03-02'
from generate_series(1, 40) as n;

insert into salesforce."case"
(sfid, casenumber, accountid, contactid, subject, origin, isclosed, closeddate, isdeleted, createddate,
lastmodifieddate, systemmodstamp)
select
    salesforce.key_of('500', n), lpad(n::text, 8, '0'),
    case when n % 5 > 0 then salesforce.key_of('001', 1 + n % 4) end,
    salesforce.key_of('003', 1 + n % 40),
    'Case ' || n, (array['Email', 'Phone', 'Chat', 'WhatsApp'])[1 + n % 4], n % 3 = 0,
    case when n % 3 = 0 then timestamp '2026-03-09' + n * interval '3 hours' end, n % 13 = 0,
    timestamp '2026-03-05' + n * interval '2 hours', '2026-03-05', '2026-03-05'
from generate_series(1, 60) as n;

insert into salesforce.emailmessage
(sfid, parentid, incoming, status, messagedate, subject, isdeleted, createddate, systemmodstamp)
select
    salesforce.key_of('02s', n),
    case when n % 17 > 0 then salesforce.key_of('500', 1 + n % 60) end,
    n % 3 > 0, (n % 6)::text,
    timestamp '2026-03-05' + n * interval '53 minutes', 'Re: case', n % 19 = 0, '2026-03-05', '2026-03-05'
from generate_series(1, 240) as n;

insert into salesforce.emailmessagerelation
(sfid, emailmessageid, relationid, relationobjecttype, relationaddress, relationtype, isdeleted, createddate,
systemmodstamp)
select
    salesforce.key_of('0Ew', n), salesforce.key_of('02s', 1 + n % 240),
    case n % 6 when 0 then salesforce.key_of('005', 1 + n % 3) when 1 then null else salesforce.key_of('003', 1 + n % 40) end,
    case n % 6 when 0 then 'User' when 1 then null else 'Contact' end,
    'C' || n % 25 || '@Example.com',
    (array['FromAddress', 'ToAddress', 'CcAddress', 'BccAddress', 'OtherAddress'])[1 + n % 5],
    n % 23 = 0, '2026-03-05', '2026-03-05'
from generate_series(1, 500) as n;
