-- out: one row: how many conversations there are to compare
select count(*) as conversations from app.conversations;
