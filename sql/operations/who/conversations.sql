-- Part of other statements: the conversations in which an identifier occurs, as a recipient's, in any role, or as the session id.
-- in:  %(key)s: the identifier, or the id of a contact method without one
-- out: conversation_id
select source_id as conversation_id
from analytics.identifiers
where identifier = %(key)s and source = 'conversation'
union
select message.conversation_id
from analytics.identifiers as named
inner join app.message_recipients as recipient on recipient.contact_method_id = named.source_id
inner join app.messages as message on message.id = recipient.message_id
where named.identifier = %(key)s and named.source = 'contact_method'
