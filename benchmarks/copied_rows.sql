-- Sessions of a hundred messages, 30 s apart, a session every 90 s.
copy (
    select
        'session-' || session,
        jsonb_build_object(
            'type', case message % 2 when 0 then 'human' else 'ai' end,
            'content', repeat('lorem ipsum ', 10),
            'additional_kwargs', '{}'::jsonb,
            'response_metadata', '{}'::jsonb
        ),
        '2025-01-01'::timestamptz + session * interval '90 s' + message * interval '30 s'
    from generate_series(1, 10000) as session, generate_series(0, 99) as message
) to stdout;
