"""`adopt` proposes a file of views by names and types of the application's tables; it can be installed as it is."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from convo_pipelines.cli import main
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.sources.adoption import installation
from convo_pipelines.sources.interface import SOURCES
from convo_pipelines_tests.conftest import ROOT, both_servers_if_wide

N8N = """
create table n8n_chat_histories (id serial primary key, session_id varchar(255) not null, message jsonb not null);
"""
RAILS = """
create schema shop;
create type shop.direction as enum ('incoming', 'outgoing');
create table shop.accounts (id bigserial primary key, name text, active boolean not null, created_at timestamp);
create table shop.contacts (
    id bigserial primary key, account_id bigint not null references shop.accounts, first_name text, last_name varchar,
    email varchar(255), phone_number text, discarded_at timestamp
);
create table shop.chats (
    id bigserial primary key, account_id bigint not null, contact_id bigint, topic text,
    created_at timestamp not null default now(), updated_at timestamptz(3) not null default now(), deleted_at timestamp
);
create table shop.msgs (
    id bigserial primary key, chat_id integer not null, direction shop.direction not null,
    sender_id bigint references shop.contacts, created_at timestamp not null default now()
);
create table shop.schema_migrations (version varchar primary key);
"""
PRISMA = """
create schema "App Data";
set local search_path to "App Data";
create table "Account" (id text primary key, "userId" text);
create table "Company" (id text primary key, name text not null, slug text not null, "isActive" boolean not null);
create table "User" (
    id text primary key, "companyId" text not null references "Company", name text not null, email text,
    "deletedAt" timestamp(3)
);
create table "Conversation" (
    id text primary key, "companyId" text references "Company", "ownerId" text references "User", channel text not null,
    "order" text, "startedAt" timestamp(3) not null default now(), "createdAt" timestamp(3) not null default now(),
    "updatedAt" timestamp(3) not null default now()
);
create table "Message" (
    id text primary key, "conversationId" text not null references "Conversation", direction text not null,
    "sentAt" timestamp(3) not null default now()
);
create table "Participant" (
    id text primary key, "messageId" text not null references "Message", "userId" text not null references "User",
    role text not null
);
create table "Project" (id text primary key, "ownerId" text not null references "User", name text not null);
"""
REFERENCE = "".join(
    (ROOT / "sql" / "schema" / "app" / f"{name}.sql").read_text()
    for name in (
        "touch_updated_at", "clients", "crews", "users", "projects", "people", "contact_methods", "conversations",
        "messages", "message_recipients",
    )
).replace("app.", "crm.") + "alter table crm.conversations add closed_at timestamptz;"  # fmt: skip


def adopt(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["adopt", *arguments])


@pytest.fixture
def run(empty_database: str) -> Callable[..., list[tuple[object, ...]]]:
    """Runs statements as the application, in one transaction."""

    def run(statements: str) -> list[tuple[object, ...]]:
        with psycopg.connect(empty_database) as connection:
            cursor = connection.execute(statements)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def install(empty_database: str, tmp_path: Path) -> Callable[[str], dict[str, str | None]]:
    """Installs a proposal as it is; returns the remark on each view."""

    def install(proposed: str) -> dict[str, str | None]:
        file = tmp_path / "views.sql"
        file.write_text(proposed)
        warehouse = Warehouse(empty_database)
        try:
            return {adopted.table_name: adopted.remark for adopted in installation.install(warehouse, file)}
        finally:
            warehouse.close()

    return install


def propose(schema: str) -> str:
    done = adopt("--schema", schema)
    assert done.exit_code == 0, done.output
    return done.output


def views(proposed: str) -> dict[str, str]:
    """The views of a proposal, without comments and line breaks."""
    statements = re.sub(r"-- .*", "", proposed).split(";")
    made = [re.fullmatch(r"create or replace view app\.(\S+) as (.*)", " ".join(text.split())) for text in statements]
    return {found[1]: found[2] for found in made if found}


def no_remarks(names: Sequence[str] = ()) -> dict[str, None]:
    return dict.fromkeys(sorted([*SOURCES, *names]))


def test_a_table_of_n8n_is_read_as_one_crew_of_one_client(run: Callable, install: Callable) -> None:
    run(N8N)
    proposed = propose("public")
    [statement] = re.findall(r"^-- (alter table .*;)$", proposed, re.MULTILINE)
    added = "alter table public.n8n_chat_histories add created_at timestamptz, alter created_at set default now();"
    assert statement == added
    assert [*views(proposed)] == ["clients", "crews", "n8n_chat_histories"]
    read = "select session_id::text as session_id, message, created_at from public.n8n_chat_histories"
    assert views(proposed)["n8n_chat_histories"] == read
    assert "-- No table of people was found. Empty without it: people_conversations." in proposed
    run(statement)
    proposed = propose("public")
    assert "alter table" not in proposed
    assert views(proposed)["n8n_chat_histories"] == read
    assert install(proposed) == no_remarks(["n8n_chat_histories"])
    run('insert into n8n_chat_histories (session_id, message) values (\'s1\', \'{"type": "human", "content": "…"}\');')
    assert run("select session_id from analytics.session_changes where operation = 'insert'") == [("s1",)]


def test_histories_of_another_shape_are_cast_and_never_named_like_a_source(run: Callable, install: Callable) -> None:
    run('create table messages ("sessionId" uuid, message json, "createdAt" timestamp, "deletedAt" timestamptz)')
    proposed = propose("public")
    assert views(proposed)["messages_histories"] == (
        'select "sessionId"::text as session_id, message::jsonb as message, '
        '"createdAt" at time zone \'UTC\' as created_at from public.messages where "deletedAt" is null'
    )
    assert install(proposed) == no_remarks(["messages_histories"])


@both_servers_if_wide
def test_tables_of_rails_are_recognized_completely(run: Callable, install: Callable) -> None:
    run(RAILS)
    proposed = propose("shop")
    assert "TODO" not in proposed
    assert "-- Tables that no view reads: shop.schema_migrations" in proposed
    assert "-- No table of projects was found. Empty without it: project_conversations and" in proposed
    found = views(proposed)
    assert found["clients"] == (
        "select analytics.uuid_of(id) as id, id::text as client_code, coalesce(name, '') as name, active as is_active "
        "from shop.accounts"
    )
    assert found["people"] == (
        "select analytics.uuid_of(id) as id, analytics.uuid_of(account_id) as client_id, "
        "btrim(coalesce(first_name, '') || ' ' || coalesce(last_name::text, '')) as name, email::text as email, "
        "phone_number as phone, "
        "null::text as linkedin_urn from shop.contacts where discarded_at is null"
    )
    assert found["contact_methods"] == (
        "select analytics.uuid_of('email', id::text) as id, analytics.uuid_of(id) as person_id, 'email' as kind, "
        "email::text as value from shop.contacts where email::text <> '' and discarded_at is null "
        "union all "
        "select analytics.uuid_of('phone', id::text) as id, analytics.uuid_of(id) as person_id, 'phone' as kind, "
        "phone_number as value from shop.contacts where phone_number <> '' and discarded_at is null"
    )
    assert found["conversations"] == (
        "select analytics.uuid_of(id) as id, 'chat' as channel, analytics.uuid_of(account_id) as client_id, "
        "null::uuid as crew_id, null::text as session_id, null::uuid as project_id, null::uuid as lead_id, "
        "analytics.uuid_of(contact_id) as customer_id, topic as subject, created_at at time zone 'UTC' as started_at, "
        "null::timestamp with time zone as closed_at, created_at at time zone 'UTC' as created_at, "
        "updated_at from shop.chats where deleted_at is null"
    )
    assert found["messages"] == (
        "select analytics.uuid_of(id) as id, analytics.uuid_of(chat_id) as conversation_id, "
        "case direction when 'incoming' then 'inbound' when 'outgoing' then 'outbound' end as direction, "
        "created_at at time zone 'UTC' as sent_at from shop.msgs"
    )
    assert found["message_recipients"].startswith(
        "select analytics.uuid_of(id) as message_id, analytics.uuid_of('email', sender_id::text) as contact_method_id, "
        "'from' as role from shop.msgs where sender_id is not null union all "
    )
    assert install(proposed) == no_remarks()
    run("""
        insert into shop.accounts (name, active, created_at) values ('a', true, now());
        insert into shop.contacts (account_id, first_name, email) values (1, 'Ana', 'ana@example.com');
        insert into shop.chats (account_id, contact_id) values (1, 1);
        insert into shop.msgs (chat_id, direction, sender_id) values (1, 'incoming', 1)
    """)
    joined = (
        "select direction, role, kind, value, people.name, client_code from app.messages "
        "join app.conversations on conversations.id = conversation_id "
        "join app.message_recipients on message_id = messages.id "
        "join app.contact_methods on contact_methods.id = contact_method_id "
        "join app.people on people.id = person_id join app.clients on clients.id = people.client_id"
    )
    assert run(joined) == [("inbound", "from", "email", "ana@example.com", "Ana", "1")]
    logged = "select operation from analytics.messages_changes where conversation_id is not null"
    assert run(logged) == [("insert",)]
    logged = "select operation from analytics.message_recipients_changes where message_id is not null"
    assert run(logged) == [("insert",)]


@both_servers_if_wide
def test_camel_case_and_keys_of_text_are_recognized_completely(run: Callable, install: Callable) -> None:
    run(PRISMA)
    proposed = propose("App Data")
    assert "TODO" not in proposed
    assert '-- Tables that no view reads: "App Data"."Account"' in proposed
    found = views(proposed)
    assert found["clients"] == (
        "select analytics.uuid_of('client', id::text) as id, slug as client_code, name, \"isActive\" as is_active "
        'from "App Data"."Company"'
    )
    assert found["people"].startswith(
        "select analytics.uuid_of('person', id::text) as id, "
        "analytics.uuid_of('client', \"companyId\"::text) as client_id"
    )
    assert found["people"].endswith('from "App Data"."User" where "deletedAt" is null')
    assert found["messages"] == (
        "select analytics.uuid_of('message', id::text) as id, "
        "analytics.uuid_of('conversation', \"conversationId\"::text) as conversation_id, direction, "
        '"sentAt" at time zone \'UTC\' as sent_at from "App Data"."Message"'
    )
    assert found["message_recipients"] == (
        "select analytics.uuid_of('message', \"messageId\"::text) as message_id, "
        'analytics.uuid_of(\'email\', "userId"::text) as contact_method_id, role from "App Data"."Participant"'
    )
    assert found["projects"].startswith(
        "select analytics.uuid_of('project', id::text) as id, "
        "analytics.uuid_of('user', \"ownerId\"::text) as user_id, name"
    )
    assert install(proposed) == no_remarks()


def test_the_reference_schema_under_another_name_is_recognized_completely(run: Callable, install: Callable) -> None:
    run(f"create schema crm; {REFERENCE}")
    run("create table crm.histories_a (id bigserial, session_id text, message jsonb, created_at timestamptz)")
    proposed = propose("crm")
    assert "TODO" not in proposed
    assert "null::" not in proposed
    assert [*views(proposed)] == [*SOURCES, "histories_a"]
    assert install(proposed) == no_remarks()
    run("insert into crm.clients (client_code, name) values ('C1', 'C1')")
    run("insert into crm.crews (client_id, crew_code, name, histories_table_name) select id, 'A', 'A', 'histories_a' "
        "from crm.clients")  # fmt: skip
    assert install(proposed) == no_remarks(["histories_a"])


def test_what_is_not_known_is_marked_and_can_be_installed(run: Callable, install: Callable) -> None:
    run("""
        create table companies (id uuid primary key, status integer, title text);
        create table contacts (id uuid primary key, email bytea, phone text);
        create table tickets (id uuid, company_id uuid, contact_id integer, created_at date not null);
        create table messages (id uuid, ticket_id integer, message_type integer, "at
; drop schema public" bigint)
    """)
    proposed = propose("public")
    assert "    true as is_active  -- TODO: Whether the histories of its crews are read." in proposed
    assert "    null::uuid as client_id,  -- TODO: Their client." in proposed
    assert "    '' as name,  -- TODO: The name." in proposed
    assert "    null::uuid as conversation_id,  -- TODO: Its conversation." in proposed
    assert "    'inbound' as direction,  -- TODO: inbound or outbound." in proposed
    assert "    'epoch'::timestamp with time zone as sent_at  -- TODO: When it was sent." in proposed
    assert "-- public.contacts has: id uuid, email bytea, phone text\ncreate or replace view app.people as" in proposed
    assert "    created_at::timestamp at time zone 'UTC' as updated_at  -- TODO" in proposed
    assert "'email'" not in views(proposed)["contact_methods"]
    assert install(proposed) == no_remarks()


def test_messages_of_a_helpdesk_are_recognized_by_their_columns(run: Callable, install: Callable) -> None:
    run("""
        create table organizations (id serial primary key, name text not null, active boolean not null);
        create table users (
            id serial primary key, organization_id int references organizations, firstname text, lastname text,
            email text, mobile text
        );
        create table tickets (
            id serial primary key, organization_id int references organizations, customer_id int references users,
            title text, created_at timestamptz not null, updated_at timestamptz not null, close_at timestamptz
        );
        create table ticket_time_accountings (
            id serial primary key, ticket_id int references tickets, text text, created_at timestamptz
        );
        create table ticket_articles (
            id serial primary key, ticket_id int not null references tickets, "from" text, "to" text, cc text,
            subject text, body text not null, created_at timestamptz not null
        );
    """)
    proposed = propose("public")
    found = views(proposed)
    assert found["messages"].startswith(
        "select analytics.uuid_of(id) as id, analytics.uuid_of(ticket_id) as conversation_id, "
    )
    assert found["messages"].endswith("created_at as sent_at from public.ticket_articles")
    assert "close_at as closed_at" in found["conversations"]
    assert "btrim(coalesce(firstname, '') || ' ' || coalesce(lastname, '')) as name" in found["people"]
    assert "mobile as phone" in found["people"]
    assert "where email <> ''" in found["contact_methods"]
    assert install(proposed) == no_remarks()
    run("insert into users (firstname, email, mobile) values ('Ana', 'ana@example.com', ''), ('Ben', '', null)")
    assert run("select kind, value from app.contact_methods") == [("email", "ana@example.com")]


def test_labels_of_an_enum_that_are_not_known_are_named(run: Callable, install: Callable) -> None:
    run("""
        create type kind as enum ('INCOMING', 'outgoing', 'it''s a note');
        create table messages (id uuid primary key, direction kind not null, sent_at timestamptz not null)
    """)
    proposed = propose("public")
    assert "case direction when 'INCOMING' then 'inbound' when 'outgoing' then 'outbound' end as direction" in proposed
    assert "-- TODO: what do these mean: it's a note? inbound or outbound." in proposed
    assert install(proposed) == no_remarks()


def test_clients_without_a_table_are_one_client(run: Callable, install: Callable) -> None:
    run("create table people (id uuid primary key, tenant_id uuid not null, name text not null, email text)")
    proposed = propose("public")
    assert views(proposed)["clients"] == (
        "select analytics.uuid_of(1) as id, 'main' as client_code, 'main' as name, true as is_active"
    )
    assert (
        "analytics.uuid_of(1) as client_id,  -- TODO: tenant_id tells clients apart, but they have no table."
        in proposed
    )
    assert install(proposed) == no_remarks()


def test_foreign_keys_come_before_names_and_what_is_most_referred_to_before_others(run: Callable) -> None:
    run("""
        create table accounts (id bigint primary key, name text not null);
        create table workspaces (id bigint primary key, name text not null);
        create table contacts (
            id bigint primary key, workspace_id bigint, account_id bigint references accounts,
            belongs_to bigint references workspaces
        );
        create table conversations (id bigint primary key, workspace_id bigint not null references workspaces);
    """)
    found = views(propose("public"))
    assert found["clients"].endswith("from public.workspaces")
    assert "analytics.uuid_of(belongs_to) as client_id" in found["people"]
    assert "analytics.uuid_of(workspace_id) as client_id" in found["conversations"]


@pytest.mark.usefixtures("empty_database")
def test_a_schema_without_tables_is_refused() -> None:
    refused = adopt()
    assert refused.exit_code == 1
    assert refused.output == (
        "Error: schema public has no tables: name another by --schema; schemas with tables: none\n"
    )


def test_a_schema_that_does_not_exist_is_named(run: Callable) -> None:
    run(RAILS)
    refused = adopt("--schema", "shopp")
    assert refused.exit_code == 1
    assert refused.output == (
        "Error: the application has no schema shopp: name another by --schema; schemas with tables: shop\n"
    )


def test_nothing_is_written(run: Callable) -> None:
    run(N8N)
    catalog = (
        "select (select count(*) from pg_class), (select count(*) from pg_proc), (select count(*) from pg_namespace)"
    )
    before = run(catalog)
    assert adopt().exit_code == 0
    assert run(catalog) == before
