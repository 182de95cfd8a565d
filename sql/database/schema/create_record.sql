-- What `migrate up` has applied: migrations, and the code of sql/schema/.
-- in:  {migrations}, {code}: the tables
create table if not exists {migrations} (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
);
create table if not exists {code} (
    name text primary key,
    checksum text not null
);
