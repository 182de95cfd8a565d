-- Zammad: the tables that docs/how-to/adopt/zammad.sql reads, with the columns that matter here; times are UTC without a time zone.
create table public.organizations (
    id serial primary key,
    name varchar(100) not null,
    active boolean not null default true,
    note varchar(5000) default '',
    created_at timestamp(3) not null default '2026-03-01',
    updated_at timestamp(3) not null default '2026-03-01'
);

create table public.users (
    id serial primary key,
    organization_id integer,
    login varchar(255) not null,
    firstname varchar(100) default '',
    lastname varchar(100) default '',
    email varchar(255) default '',
    phone varchar(100) default '',
    mobile varchar(100) default '',
    active boolean not null default true,
    created_at timestamp(3) not null default '2026-03-01',
    updated_at timestamp(3) not null default '2026-03-01'
);
create index index_users_on_organization_id on public.users (organization_id);

create table public.tickets (
    id serial primary key,
    number varchar(60) not null,
    title varchar(250) not null,
    customer_id integer not null,
    organization_id integer,
    state_id integer not null default 2,
    close_at timestamp(3),
    created_at timestamp(3) not null,
    updated_at timestamp(3) not null
);

create table public.ticket_articles (
    id serial primary key,
    ticket_id integer not null,
    type_id integer not null default 1,
    sender_id integer not null,
    internal boolean not null default false,
    "from" varchar(3000),
    "to" varchar(3000),
    cc varchar(3000),
    subject varchar(3000),
    body text not null default '',
    created_at timestamp(3) not null,
    updated_at timestamp(3) not null default '2026-03-01'
);
create index index_ticket_articles_on_ticket_id on public.ticket_articles (ticket_id);
