-- convo_pipeline may no longer capture.
revoke execute on function analytics.capture(regclass), analytics.release(regclass) from convo_pipeline;
