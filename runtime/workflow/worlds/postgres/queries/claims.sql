-- :name claim_runs
-- Makes a worker the owner of due runs, oldest due first, under new fences.
with mailed as materialized (
    select id, mailed_at as since from {schema}.workflow_runs
    where owner is null and completed_at is null and parked is null and mail > seen
    order by mailed_at, id limit %(limit)s for update skip locked
), timed as materialized (
    select id, next_timer as since from {schema}.workflow_runs
    where owner is null and completed_at is null and parked is null and next_timer <= %(now)s
        and next_timer is not null
    order by next_timer, id limit %(limit)s for update skip locked
), due as (
    select id, min(since) as since from (table mailed union all table timed) as d
    group by id order by 2, 1 limit %(limit)s
), claimed as (
    update {schema}.workflow_runs as r set owner = %(worker)s, fence = fence + 1, claims = claims + 1
    from due where r.id = due.id
    returning r.*, due.since
)
select run_id, workflow, status, c.created_at, e.payload, started_at, completed_at, output,
    error_code, bundle, python, idempotency_key, attributes::text, parent_run, parent_ref, head,
    mail, seen, next_timer, owner, fence, claims, parked
from claimed as c left join {schema}.workflow_events as e on e.run = c.id and e.seq = 1
order by c.since, c.id

-- :name own_due
-- Runs that a worker owns and that have unseen mail or a passed timer.
select run_id from {schema}.workflow_runs
where owner = %(worker)s and (mail > seen or next_timer <= %(now)s)
order by id

-- :name next_due
-- When the next timer of an unowned or own run, or the next free task, falls due.
select least(
    (select min(next_timer) from {schema}.workflow_runs
     where owner is null and completed_at is null and parked is null and next_timer is not null
        and next_timer > %(now)s),
    (select min(next_timer) from {schema}.workflow_runs
     where owner = %(worker)s and next_timer > %(now)s),
    (select min(run_at) from {schema}.workflow_tasks where owner is null and run_at > %(now)s)
)

-- :name claim_tasks
-- Hands due tasks of known steps to a worker as their next attempts, oldest due first.
with due as materialized (
    select id from {schema}.workflow_tasks
    where owner is null and run_at <= %(now)s and name = any (%(names)s::text[])
    order by run_at, id limit %(limit)s for update skip locked
), claimed as (
    update {schema}.workflow_tasks as t set owner = %(worker)s, attempt = attempt + 1
    from due where t.id = due.id
    returning t.*
)
select r.run_id, step_id, name, payload, attempt, run_at, c.created_at, error, meta, c.owner
from claimed as c join {schema}.workflow_runs as r on r.id = c.run
order by c.run_at, c.id

-- :name next_task_due
-- When the next free task of known steps falls due.
select min(run_at) from {schema}.workflow_tasks
where owner is null and run_at > %(now)s and name = any (%(names)s::text[])

-- :name renew_lease
-- Notes until when a worker is to be believed alive.
insert into {schema}.workflow_workers (worker, lease_until, registry)
values (%(worker)s, %(lease_until)s, %(registry)s)
on conflict (worker) do update
set lease_until = excluded.lease_until, registry = excluded.registry

-- :name drop_lost_workers
-- Ends the leases that have run out.
delete from {schema}.workflow_workers where lease_until <= %(now)s

-- :name drop_worker
-- Ends a lease.
delete from {schema}.workflow_workers where worker = %(worker)s

-- :name free_lost_runs
-- Makes the runs of one worker, or of all, that has no lease ownerless and due.
update {schema}.workflow_runs as r set
    owner = null,
    mailed_at = case when mail = seen then %(now)s else mailed_at end,
    mail = mail + 1
from (
    select id from {schema}.workflow_runs as held
    where owner is not null and (%(worker)s::text is null or owner = %(worker)s)
        and not exists (select 1 from {schema}.workflow_workers where worker = held.owner)
    order by id for update
) as lost
where r.id = lost.id

-- :name free_lost_tasks
-- Makes the tasks of one worker, or of all, that has no lease ownerless. The attempts stay counted.
update {schema}.workflow_tasks as t set owner = null
from (
    select id from {schema}.workflow_tasks as held
    where owner is not null and (%(worker)s::text is null or owner = %(worker)s)
        and not exists (select 1 from {schema}.workflow_workers where worker = held.owner)
    order by id for update
) as lost
where t.id = lost.id
