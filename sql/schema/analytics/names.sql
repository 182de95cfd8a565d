create view analytics.client_names as
select
    id as client_id,
    client_code,
    name as client_name,
    is_active
from app.clients;

comment on view analytics.client_names is 'What each client is called.';
comment on column analytics.client_names.client_id is 'The client.';
comment on column analytics.client_names.client_code is 'Its code.';
comment on column analytics.client_names.client_name is 'Its name.';
comment on column analytics.client_names.is_active is 'Whether its crews are read.';

create view analytics.crew_names as
select
    id as crew_id,
    crew_code,
    name as crew_name,
    client_id,
    is_active
from app.crews;

comment on view analytics.crew_names is 'What each crew is called.';
comment on column analytics.crew_names.crew_id is 'The crew.';
comment on column analytics.crew_names.crew_code is 'Its code.';
comment on column analytics.crew_names.crew_name is 'Its name.';
comment on column analytics.crew_names.client_id is 'Its client now.';
comment on column analytics.crew_names.is_active is 'Whether it is read.';

create view analytics.project_names as
select
    id as project_id,
    name as project_name,
    user_id
from app.projects;

comment on view analytics.project_names is 'What each project is called.';
comment on column analytics.project_names.project_id is 'The project.';
comment on column analytics.project_names.project_name is 'Its name.';
comment on column analytics.project_names.user_id is 'Whose it is.';

create view analytics.person_names as
select
    id as person_id,
    client_id,
    name as person_name,
    email,
    phone,
    linkedin_urn
from app.people;

comment on view analytics.person_names is 'Who each person is. Personal data.';
comment on column analytics.person_names.person_id is 'The person.';
comment on column analytics.person_names.client_id is 'The person''s client.';
comment on column analytics.person_names.person_name is 'The person''s name.';
comment on column analytics.person_names.email is 'E-mail address in the person''s record.';
comment on column analytics.person_names.phone is 'Phone number in the person''s record.';
comment on column analytics.person_names.linkedin_urn is 'LinkedIn profile in the person''s record.';

create view analytics.contact_method_values as
select
    id as contact_method_id,
    kind,
    value,
    person_id
from app.contact_methods;

comment on view analytics.contact_method_values is 'What each contact method is. Personal data.';
comment on column analytics.contact_method_values.contact_method_id is 'The contact method.';
comment on column analytics.contact_method_values.kind is 'email, phone or linkedin.';
comment on column analytics.contact_method_values.value is
'The address, number or profile, as the application spells it.';
comment on column analytics.contact_method_values.person_id is
'Whose it is, by the application''s word; see participant_resolutions.';
