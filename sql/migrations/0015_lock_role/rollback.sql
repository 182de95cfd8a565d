-- convo_pipeline may no longer lock rows of the application.
revoke execute on function analytics.lock_parents(text, uuid[]) from convo_pipeline;
