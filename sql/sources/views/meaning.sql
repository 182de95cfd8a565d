-- What PostgreSQL keeps of a view: the tree of its query, without where it stood in a text and how it is printed.
-- in:  %(relation)s
-- out: one row: tree
select
    regexp_replace(
        replace(rule.ev_action::text, ':relid ' || rule.ev_class, ''),
        ':([a-z_]*location|[a-z]+format|row_format|stmt_len|list_start|list_end) -?[0-9]+', '', 'g'
    ) as tree
from pg_rewrite as rule
where rule.ev_class = %(relation)s::regclass;
