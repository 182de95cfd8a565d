comment on schema analytics is
'Derived by convo_pipelines from app and the crews'' histories tables; can be dropped and rebuilt at any time.';
