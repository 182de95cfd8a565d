-- Where rows are of no day.
null::date
