-- What the application's writers do, one statement at a time. %(key)s and %(other)s are keys of rows, %(digit)s is below 10, and
-- nobody had %(new)s before. A writer touches only rows of its {own} keys; {some} are a tenth of them, {one} is one or two.
-- Statements with {table} are of each table.

update salesforce.{table} set isdeleted = true where {some};

update salesforce.{table} set isdeleted = nullif(%(flag)s, true) where {some};

update salesforce.{table} set isdeleted = not isdeleted where {one};

update salesforce.{table} set sfid = %(new)s || '/' || id where sfid is null and {own};

update salesforce.{table} set sfid = case when %(flag)s then %(new)s || '/' || id end where {one};

update salesforce.{table} set systemmodstamp = %(when)s, _hc_lastop = 'SYNCED' where {own};

delete from salesforce.{table} where {one};

insert into salesforce.account (name) values (%(new)s);

insert into salesforce.contact (name, accountid, email, phone, mobilephone)
values (%(new)s, salesforce.key_of('001', 1 + %(digit)s %% 4), %(email)s, %(phone)s, %(phone)s);

insert into salesforce."case" (sfid, accountid, contactid, origin, createddate, lastmodifieddate)
values (%(new)s, salesforce.key_of('001', 1 + %(digit)s %% 4), salesforce.key_of('003', %(key)s), 'Email', %(when)s, %(when)s);

insert into salesforce.emailmessage (sfid, parentid, incoming, status, messagedate)
select %(new)s, sfid, %(flag)s, '3', %(when)s from salesforce."case" where id = %(key)s;

insert into salesforce.emailmessage (sfid, parentid, incoming, status, messagedate)
select %(new)s || '/' || n, sfid, n %% 2 = 0, '1', createddate + n * interval '9 hours'
from salesforce."case" cross join generate_series(1, 4) as n where id = %(key)s;

insert into salesforce.emailmessagerelation (sfid, emailmessageid, relationid, relationtype)
select %(new)s || '/' || n, sfid, salesforce.key_of('003', %(other)s), (array['FromAddress', 'ToAddress'])[n]
from salesforce.emailmessage cross join generate_series(1, 2) as n where id = %(key)s;

update salesforce.contact set accountid = salesforce.key_of('001', 1 + %(digit)s %% 4) where {one};

update salesforce.contact set accountid = null where {one};

update salesforce.contact set email = %(email)s where {one};

update salesforce.contact set email = null where {some};

update salesforce.contact set phone = %(phone)s where {one};

update salesforce.contact set phone = mobilephone, mobilephone = phone where {some};

with contacts as (
    update salesforce.contact set accountid = salesforce.key_of('001', 1)
    where accountid = salesforce.key_of('001', 2 + %(digit)s %% 3) and {own}
), cases as (
    update salesforce."case" set accountid = salesforce.key_of('001', 1)
    where accountid = salesforce.key_of('001', 2 + %(digit)s %% 3) and {own}
)
update salesforce.account set isdeleted = true, masterrecordid = salesforce.key_of('001', 1)
where sfid = salesforce.key_of('001', 2 + %(digit)s %% 3) and {own};

update salesforce."case" set contactid = salesforce.key_of('003', %(other)s), origin = 'Chat' where {one};

update salesforce."case" set isclosed = %(flag)s, closeddate = case when %(flag)s then %(when)s::timestamp end where {one};

update salesforce."case" set accountid = case when %(flag)s then salesforce.key_of('001', 1 + %(digit)s %% 4) end where {some};

update salesforce.emailmessage set status = case status when '5' then '3' else '5' end where {one};

update salesforce.emailmessage set parentid = salesforce.key_of('500', %(other)s), incoming = not incoming where {one};

update salesforce.emailmessage set messagedate = case when %(flag)s then %(when)s::timestamp end where {one};

update salesforce.emailmessagerelation set relationid = salesforce.key_of('003', %(other)s), relationtype = 'CcAddress' where {one};

update salesforce.emailmessagerelation set relationid = null where {one};

update salesforce.emailmessagerelation set relationtype = 'OtherAddress' where {some};

update salesforce.emailmessagerelation set emailmessageid = salesforce.key_of('02s', %(other)s) where {one};
