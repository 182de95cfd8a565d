-- Salesforce: the tables that docs/how-to/adopt/salesforce.sql reads, as Heroku Connect creates them for mappings of standard objects:
-- fields in lower case, 18-character keys in sfid, its own columns and indexes, no foreign keys.
create schema salesforce;

create table salesforce.account (
    createddate timestamp,
    isdeleted boolean,
    name varchar(255),
    type varchar(255),
    masterrecordid varchar(18),
    systemmodstamp timestamp,
    sfid varchar(18) collate ucs_basic,
    id serial primary key,
    _hc_lastop varchar(32),
    _hc_err text
);
create unique index hcu_idx_account_sfid on salesforce.account (sfid);
create index hc_idx_account_systemmodstamp on salesforce.account (systemmodstamp);

create table salesforce.contact (
    accountid varchar(18),
    createddate timestamp,
    email varchar(80),
    firstname varchar(40),
    isdeleted boolean,
    lastname varchar(80),
    mobilephone varchar(40),
    name varchar(121),
    phone varchar(40),
    systemmodstamp timestamp,
    sfid varchar(18) collate ucs_basic,
    id serial primary key,
    _hc_lastop varchar(32),
    _hc_err text
);
create unique index hcu_idx_contact_sfid on salesforce.contact (sfid);
create index hc_idx_contact_systemmodstamp on salesforce.contact (systemmodstamp);
create index hc_idx_contact_accountid on salesforce.contact (accountid);

create table salesforce."case" (
    accountid varchar(18),
    casenumber varchar(30),
    closeddate timestamp,
    contactid varchar(18),
    createddate timestamp,
    isclosed boolean,
    isdeleted boolean,
    lastmodifieddate timestamp,
    origin varchar(255),
    status varchar(255),
    subject varchar(255),
    systemmodstamp timestamp,
    sfid varchar(18) collate ucs_basic,
    id serial primary key,
    _hc_lastop varchar(32),
    _hc_err text
);
create unique index hcu_idx_case_sfid on salesforce."case" (sfid);
create index hc_idx_case_systemmodstamp on salesforce."case" (systemmodstamp);
create index hc_idx_case_contactid on salesforce."case" (contactid);

create table salesforce.emailmessage (
    createddate timestamp,
    fromaddress varchar(1000),
    fromname varchar(1000),
    incoming boolean,
    isdeleted boolean,
    messagedate timestamp,
    parentid varchar(18),
    status varchar(255),
    subject varchar(3000),
    systemmodstamp timestamp,
    textbody text,
    toaddress varchar(4000),
    sfid varchar(18) collate ucs_basic,
    id serial primary key,
    _hc_lastop varchar(32),
    _hc_err text
);
create unique index hcu_idx_emailmessage_sfid on salesforce.emailmessage (sfid);
create index hc_idx_emailmessage_systemmodstamp on salesforce.emailmessage (systemmodstamp);
create index hc_idx_emailmessage_parentid on salesforce.emailmessage (parentid);

create table salesforce.emailmessagerelation (
    createddate timestamp,
    emailmessageid varchar(18),
    isdeleted boolean,
    relationaddress varchar(255),
    relationid varchar(18),
    relationobjecttype varchar(40),
    relationtype varchar(255),
    systemmodstamp timestamp,
    sfid varchar(18) collate ucs_basic,
    id serial primary key,
    _hc_lastop varchar(32),
    _hc_err text
);
create unique index hcu_idx_emailmessagerelation_sfid on salesforce.emailmessagerelation (sfid);
create index hc_idx_emailmessagerelation_systemmodstamp on salesforce.emailmessagerelation (systemmodstamp);
create index hc_idx_emailmessagerelation_emailmessageid on salesforce.emailmessagerelation (emailmessageid);
