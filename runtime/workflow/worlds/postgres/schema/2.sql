-- When each bundle was last said to be in use, in microseconds. Those of older installations, which
-- do not say it, count as used when they were put.
alter table {schema}.workflow_bundles add column used_at bigint not null
    default (extract(epoch from now()) * 1000000)::bigint;
