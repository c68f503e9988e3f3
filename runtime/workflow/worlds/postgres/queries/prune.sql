-- :name old_runs
-- Runs that ended before a time, those created first.
select run_id from {schema}.workflow_runs
where created_at < %(before)s::bigint and completed_at < %(before)s::bigint
    and status = any(%(statuses)s::text[])
order by created_at, run_id limit %(limit)s::bigint

-- :name prune_runs
-- Deletes such runs with everything that belongs to them. One that somebody is writing to, a late
-- letter for instance, is left for the next time.
with old as materialized (
    select id, run_id, created_at from {schema}.workflow_runs
    where created_at < %(before)s::bigint and completed_at < %(before)s::bigint
        and status = any(%(statuses)s::text[])
    order by created_at, run_id limit %(limit)s::bigint
    for update skip locked
), gone_streams as (
    delete from {schema}.workflow_streams as s using old where s.run = old.id returning s.id
), gone_chunks as (
    delete from {schema}.workflow_stream_chunks as c using gone_streams as s where c.stream = s.id
), gone_events as (
    delete from {schema}.workflow_events as e using old where e.run = old.id
), gone_letters as (
    delete from {schema}.workflow_letters as l using old where l.run = old.id
), gone_keys as (
    delete from {schema}.workflow_letter_keys as k using old where k.run = old.id
), gone_tasks as (
    delete from {schema}.workflow_tasks as t using old where t.run = old.id
), gone_hooks as (
    delete from {schema}.workflow_hooks as h using old where h.run = old.id
), gone_runs as (
    delete from {schema}.workflow_runs as r using old where r.id = old.id
)
select run_id from old order by created_at, run_id

-- :name free_bundles
-- Bundles that were not in use since a time and that no run is pinned to.
select bundle from {schema}.workflow_bundles as b
where used_at < %(before)s::bigint
    and not exists (select from {schema}.workflow_runs as r where r.bundle = b.bundle)

-- :name prune_bundles
-- Deletes such bundles, unless they came into use in the meantime.
delete from {schema}.workflow_bundles as b
where used_at < %(before)s::bigint
    and not exists (select from {schema}.workflow_runs as r where r.bundle = b.bundle)
returning bundle
