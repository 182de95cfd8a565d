create or replace view analytics.client_names as
select
    id as client_id,
    client_code::text,
    name::text as client_name,
    is_active
from app.clients;

comment on view analytics.client_names is 'Names of clients.';
comment on column analytics.client_names.client_id is 'The client.';
comment on column analytics.client_names.client_code is 'The client''s code.';
comment on column analytics.client_names.client_name is 'The client''s name.';
comment on column analytics.client_names.is_active is 'Whether the client''s crews are refreshed.';

create or replace view analytics.crew_names as
select
    id as crew_id,
    crew_code::text,
    name::text as crew_name,
    client_id,
    is_active
from app.crews;

comment on view analytics.crew_names is 'Names of crews.';
comment on column analytics.crew_names.crew_id is 'The crew.';
comment on column analytics.crew_names.crew_code is 'The crew''s code.';
comment on column analytics.crew_names.crew_name is 'The crew''s name.';
comment on column analytics.crew_names.client_id is 'The crew''s current client.';
comment on column analytics.crew_names.is_active is 'Whether the crew is refreshed.';

create or replace view analytics.project_names as
select
    id as project_id,
    name::text as project_name,
    user_id
from app.projects;

comment on view analytics.project_names is 'Names of projects.';
comment on column analytics.project_names.project_id is 'The project.';
comment on column analytics.project_names.project_name is 'The project''s name.';
comment on column analytics.project_names.user_id is 'The user the project belongs to.';

create or replace view analytics.person_names as
select
    id as person_id,
    client_id,
    name::text as person_name,
    email::text,
    phone::text,
    linkedin_urn::text
from app.people;

comment on view analytics.person_names is 'Names and addresses of persons. Personal data.';
comment on column analytics.person_names.person_id is 'The person.';
comment on column analytics.person_names.client_id is 'The person''s client.';
comment on column analytics.person_names.person_name is 'The person''s name. Personal data.';
comment on column analytics.person_names.email is 'E-mail address in the person''s record. Personal data.';
comment on column analytics.person_names.phone is 'Phone number in the person''s record. Personal data.';
comment on column analytics.person_names.linkedin_urn is 'LinkedIn profile in the person''s record. Personal data.';

create or replace view analytics.contact_method_values as
select
    id as contact_method_id,
    kind::text,
    value::text,
    person_id
from app.contact_methods;

comment on view analytics.contact_method_values is 'Values of contact methods. Personal data.';
comment on column analytics.contact_method_values.contact_method_id is 'The contact method.';
comment on column analytics.contact_method_values.kind is 'email, phone or linkedin.';
comment on column analytics.contact_method_values.value is
'The address, number or profile as stored by the application. Personal data.';
comment on column analytics.contact_method_values.person_id is
'The person set by the application; see participant_resolutions for resolved persons.';

create or replace view analytics.conversation_subjects as
select
    id as conversation_id,
    channel::text,
    subject::text
from app.conversations;

comment on view analytics.conversation_subjects is 'Subjects of conversations. Personal data.';
comment on column analytics.conversation_subjects.conversation_id is 'The conversation.';
comment on column analytics.conversation_subjects.channel is 'email, whatsapp, linkedin, chat or crew.';
comment on column analytics.conversation_subjects.subject is 'The subject, of an e-mail thread. Personal data.';
