-- The keys of rows whose key is not in the source.
-- in:  {target}, {keyed}: its column with the key; {key}; {relation}, {column}: the source
select distinct {keyed} as {key} from {target} as target
where not exists (select from {relation} as source where source.{column} = target.{keyed})
