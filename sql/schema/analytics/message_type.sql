-- What a message is: human, ai, tool_call (an ai message that only calls tools), tool, system, function or generic; null if that
-- is not known. As n8n writes messages, that is said by `type`, and decided without another call.
create or replace function analytics.message_type(message jsonb) returns text
language sql immutable parallel safe
return case message ->> 'type'
    when 'human' then 'human'
    when 'tool' then 'tool'
    when 'system' then 'system'
    when 'function' then 'function'
    when 'ai' then case when message ->> 'content' ~ '^\s*[^\s\[]' then 'ai' else analytics.type_of_any_format(message) end
    else analytics.type_of_any_format(message)
end;
comment on function analytics.message_type(jsonb) is
'What a message is: human, ai, tool_call (an ai message that only calls tools), tool, system, function or generic; null: it is '
'not known.';

-- The same of any format that is known: LangChain's stored messages ({"type": "ai", "data": {…}}), streamed ones
-- ("AIMessageChunk"), those with a role ("chat"), serialized ones ("constructor"), and OpenAI's ({"role": "assistant", …}).
create or replace function analytics.type_of_any_format(message jsonb) returns text
language sql immutable parallel safe
as $$
    select
        case
            when said.type is distinct from 'ai' then said.type
            when calls.are_there and not text.is_there then 'tool_call'
            else 'ai'
        end
    from (
        select
            case
                when jsonb_typeof(message -> 'data') = 'object' then message -> 'data'
                when jsonb_typeof(message -> 'kwargs') = 'object' then message -> 'kwargs'
                else message
            end as body,
            case message ->> 'type'
                when 'constructor' then coalesce(message #>> '{id,-1}', 'constructor')
                else message ->> 'type'
            end as class
    ) as given
    cross join lateral (
        select
            case
                when given.class is null or given.class ~ '^(chat|generic|message|ChatMessage(Chunk)?)$'
                    then coalesce(given.body ->> 'role', message ->> 'role', given.class)
                else given.class
            end as name
    ) as told
    cross join lateral (
        select
            case lower(regexp_replace(told.name, '(Message)?(Chunk)?$', ''))
                when 'human' then 'human'
                when 'user' then 'human'
                when 'ai' then 'ai'
                when 'assistant' then 'ai'
                when 'tool' then 'tool'
                when 'function_call_output' then 'tool'
                when 'function_call' then 'tool_call'
                when 'function' then 'function'
                when 'system' then 'system'
                when 'developer' then 'system'
                when 'generic' then 'generic'
            end as type
    ) as said
    cross join lateral (
        select
            coalesce(
                case jsonb_typeof(given.body -> 'content')
                    when 'string' then given.body ->> 'content' ~ '\S'
                    when 'array' then jsonb_path_exists(
                        given.body, '$.content[*] ? (@ like_regex "\\S" || @.text like_regex "\\S")'
                    )
                end,
                false
            ) as is_there
    ) as text
    cross join lateral (
        select
            jsonb_path_exists(given.body, '$.tool_calls[*] ? (@ != null)')
            or jsonb_path_exists(given.body, '$.additional_kwargs.tool_calls[*] ? (@ != null)')
            or jsonb_path_exists(given.body, '$.additional_kwargs.function_call ? (@ != null)')
            or jsonb_path_exists(given.body, '$.function_call ? (@ != null)')
            or jsonb_path_exists(given.body, '$.content[*].type ? (@ == "tool_use" || @ == "function_call")') as are_there
    ) as calls
$$;
comment on function analytics.type_of_any_format is 'What a message is, of any format; see analytics.message_type. Internal.';

-- A json column may hold escapes that cannot be taken apart, such as \u0000; what they stand for does not matter here.
create or replace function analytics.message_type(message json) returns text
language plpgsql immutable
as $$
begin
    return analytics.message_type(message::jsonb);
exception when others then
    begin
        return analytics.message_type(regexp_replace(message::text, '\\(\\|u[0-9a-fA-F]{4})', 'x', 'g')::jsonb);
    exception when others then
        return null;
    end;
end
$$;
