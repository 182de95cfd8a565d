-- out: differences between projects' deprecated arrays and conversations
select
    kind,
    count(*) as rows,
    count(distinct project_id) as projects
from analytics.project_link_inconsistencies
group by kind
order by kind;
