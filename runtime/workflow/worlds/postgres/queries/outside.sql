-- :name create_on
-- Creates a run in somebody else's transaction; its id, or that of the run that has its key.
with clock as materialized (
    select coalesce(
        %(now)s::bigint, (extract(epoch from clock_timestamp()) * 1000000)::bigint
    ) as now
), new as (
    insert into {schema}.workflow_runs (
        run_id, workflow, status, created_at, idempotency_key, attributes, parent_run, parent_ref,
        head, mail, seen, mailed_at, next_timer, fence, claims
    ) select
        %(run_id)s::text, %(workflow)s::text, 'pending', now, %(key)s::text, %(attributes)s::jsonb,
        %(parent_run)s::text, %(parent_ref)s::text, 1, (%(start_at)s::bigint is null)::int, 0, now,
        %(start_at)s::bigint, 0, 0
    from clock
    on conflict do nothing
    returning id, run_id, created_at
), logged as (
    insert into {schema}.workflow_events (run, seq, type, at, ref, name, payload, meta)
    select id, 1, 'run_created', created_at, '', %(workflow)s::text, %(input)s::bytea,
        %(meta)s::bytea
    from new
), told as (
    -- Heard by the workers when the transaction is committed, and only then.
    select pg_notify(%(channel)s, '') from new
)
select new.run_id, true from new, told
union all
select run_id, false from {schema}.workflow_runs
where (workflow = %(workflow)s and idempotency_key = %(key)s) or run_id = %(run_id)s
