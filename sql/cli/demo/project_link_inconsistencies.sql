-- out: where projects' deprecated arrays disagree with the conversations
select
    kind,
    count(*) as rows,
    count(distinct project_id) as projects
from analytics.project_link_inconsistencies
group by kind
order by kind;
