-- Where rows of the sources are not counted.
select null::bigint;
