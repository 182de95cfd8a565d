comment on schema analytics is
'Derived by convo_pipelines from app and the crews'' histories tables. Can be dropped and rebuilt, except for '
'archived session-days and the record of deleted conversations.';
