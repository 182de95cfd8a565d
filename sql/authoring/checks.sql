-- name: not_null
-- Rows without {column}: see where it comes from, or make it a condition of the SELECT.
-- out: {key}
select {key} from {table}
where {column} is null
order by {key};


-- name: accepted_values
-- Rows whose {column} is none of the values that are accepted: correct what it comes from, or accept the value.
-- out: {key}, {column}
select {key}, {column} from {table}
where {column} <> all(array[{values}])
order by {key};


-- name: range
-- Rows whose {column} is below or above what is possible: correct what it comes from.
-- out: {key}, {column}
select {key}, {column} from {table}
where {column} < {least} or {column} > {most}
order by {key};


-- name: recency
-- Nothing recent: the newest {column} is older than it should be. See whether the application still writes.
-- out: newest
select max({column}) as newest from {table}
having max({column}) < now() - {age}::interval;


-- name: relationship
-- Rows whose {column} is in no row of the other table: correct what it comes from.
-- out: {key}, {column}
select {key}, {column} from {table} as referring
where {column} is not null and not exists (select from {other} as referred where referred.{other_column} = referring.{column})
order by {key};
