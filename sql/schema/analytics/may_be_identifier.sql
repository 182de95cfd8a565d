-- Whether a session id may be an identifier. It is true for every text that has a canonical form, and false for most others, such
-- as uuids: so few are normalized in Python. What is not ASCII is left to that.
create or replace function analytics.may_be_identifier(value text) returns boolean
language sql immutable parallel safe
return value ~* (
    '[^\t-~]|@|urn:li:|linkedin\.com/|acoaa|wa\.me/|whatsapp\.com/|^\s*(tel|sms|whatsapp):'
    '|^\s*(\+|[(0-9]{3})[-+0-9 ()./:]{3,30}\s*((;ext=|ext\.?|x|#)\s*[0-9]{1,7})?\s*$'
);
comment on function analytics.may_be_identifier is
'Whether a session id may be an e-mail address, a phone number or a LinkedIn profile.';
