-- :name claim_runs
-- Makes a worker the owner of due runs, oldest due first, under new fences. One that was with workers
-- that died is taken alone, when it is the oldest: `workflow.policy.crashes.handed_out`.
with mailed as materialized (
    select id, claims > 1 as suspect, mailed_at as since from {schema}.workflow_runs
    where owner is null and completed_at is null and parked is null and mail > seen
        and (claims <= 1 or mailed_at <= %(now)s)
    order by mailed_at, id limit %(limit)s for update skip locked
), timed as materialized (
    select id, claims > 1 as suspect, next_timer as since from {schema}.workflow_runs
    where owner is null and completed_at is null and parked is null and next_timer <= %(now)s
        and next_timer is not null and (mail = seen or claims <= 1 or mailed_at <= %(now)s)
    order by next_timer, id limit %(limit)s for update skip locked
), due as (
    select id, suspect, min(since) as since from (table mailed union all table timed) as d
    group by id, suspect order by 3, 1 limit %(limit)s
), oldest as (
    select id, suspect from due order by since, id limit 1
), claimed as (
    update {schema}.workflow_runs as r set owner = %(worker)s, fence = fence + 1, claims = claims + 1
    from due, oldest
    where r.id = due.id and (due.id = oldest.id or not due.suspect and not oldest.suspect)
    returning r.*, due.since
)
select run_id, workflow, status, c.created_at,
    (select payload from {schema}.workflow_events where run = c.id and seq = 1),
    started_at, completed_at, output,
    error_code, bundle, python, idempotency_key, attributes::text, parent_run, parent_ref, head,
    mail, seen, next_timer, owner, fence, claims, parked, (select bool_or(suspect) from due)
from claimed as c
order by c.since, c.id

-- :name own_due
-- Runs that a worker owns and that have unseen mail or a passed timer.
select run_id from {schema}.workflow_runs
where owner = %(worker)s and (mail > seen or next_timer <= %(now)s)
order by id

-- :name next_due
-- When the next timer of an unowned or own run, the next run that has crashed, or the next free task
-- falls due, or tasks are given to the worker again.
select least(
    (select min(mailed_at) from {schema}.workflow_runs
     where owner is null and completed_at is null and parked is null and mail > seen
        and claims > 1 and mailed_at > %(now)s),
    (select min(next_timer) from {schema}.workflow_runs
     where owner is null and completed_at is null and parked is null and next_timer is not null
        and next_timer > %(now)s),
    (select min(next_timer) from {schema}.workflow_runs
     where owner = %(worker)s and next_timer > %(now)s),
    (select min(run_at) from {schema}.workflow_tasks where owner is null and run_at > %(now)s),
    (select max(run_at) + %(alone)s from {schema}.workflow_tasks
     where owner = %(worker)s and attempt > 2 and error is null
        and run_at > %(now)s - %(alone)s and run_at <= %(now)s)
)

-- :name claim_tasks
-- Hands due tasks of known steps to a worker as their next attempts, oldest due first. One that died
-- more than once is taken alone, when it is the oldest, and its worker gets nothing for a while:
-- `workflow.policy.crashes`. A claimed task has in run_at since when.
with due as materialized (
    select id, run_at, attempt > 1 and error is null as suspect from {schema}.workflow_tasks
    where owner is null and run_at <= %(now)s and name = any (%(names)s::text[])
        and not exists (
            select 1 from {schema}.workflow_tasks
            where owner = %(worker)s and attempt > 2 and error is null
                and run_at > %(now)s - %(alone)s and run_at <= %(now)s
        )
    order by run_at, id limit %(limit)s for update skip locked
), oldest as (
    select id, suspect from due order by run_at, id limit 1
), claimed as (
    update {schema}.workflow_tasks as t
    set owner = %(worker)s, attempt = attempt + 1, run_at = %(now)s
    from due, oldest
    where t.id = due.id and (due.id = oldest.id or not due.suspect and not oldest.suspect)
    returning t.*, due.run_at as since
)
select r.run_id, step_id, name, payload, attempt, run_at, c.created_at, error, meta, c.owner, c.id,
    (select bool_or(suspect) from due)
from claimed as c join {schema}.workflow_runs as r on r.id = c.run
order by c.since, c.id

-- :name tasks_in_doubt
-- Tasks that a worker has claimed if the commit went through. Waits for that commit.
with mine as (
    select t.* from {schema}.workflow_tasks as t
    join unnest(%(ids)s::bigint[], %(attempts)s::bigint[]) as w (id, attempt)
        on t.id = w.id and t.attempt = w.attempt
    where owner = %(worker)s
    order by t.id for update of t
)
select r.run_id, step_id, name, payload, attempt, run_at, c.created_at, error, meta, c.owner
from mine as c join {schema}.workflow_runs as r on r.id = c.run
order by c.run_at, c.id

-- :name next_task_due
-- When the next free task of known steps falls due, or tasks are given to the worker again.
select least(
    (select min(run_at) from {schema}.workflow_tasks
     where owner is null and run_at > %(now)s and name = any (%(names)s::text[])),
    (select max(run_at) + %(alone)s from {schema}.workflow_tasks
     where owner = %(worker)s and attempt > 2 and error is null
        and run_at > %(now)s - %(alone)s and run_at <= %(now)s)
)

-- :name renew_lease
-- Notes until when a worker is to be believed alive.
insert into {schema}.workflow_workers (worker, lease_until, registry)
values (%(worker)s, %(lease_until)s, %(registry)s)
on conflict (worker) do update
set lease_until = excluded.lease_until, registry = excluded.registry

-- :name drop_lost_workers
-- Ends the leases that have run out. One that is being renewed or dropped right now is left alone.
delete from {schema}.workflow_workers where worker in (
    select worker from {schema}.workflow_workers
    where lease_until <= %(ended_by)s for update skip locked
)

-- :name drop_worker
-- Ends a lease.
delete from {schema}.workflow_workers where worker = %(worker)s

-- :name lost_runs
-- Locks the runs of everybody who has no lease. One that somebody is writing to is left for the next
-- time: nobody's sign of life waits for others.
select id, run_id, claims from {schema}.workflow_runs as held
where owner is not null
    and not exists (select 1 from {schema}.workflow_workers where worker = held.owner)
order by id for update skip locked

-- :name free_lost_runs
-- Makes locked runs ownerless, with a nudge. Those that crash again and again are due at their times,
-- others since their mail came.
update {schema}.workflow_runs as r set
    owner = null,
    mailed_at = case when mail = seen or claims > 1 then w.at else mailed_at end,
    mail = mail + 1
from unnest(%(id)s::bigint[], %(at)s::bigint[]) as w (id, at)
where r.id = w.id

-- :name lost_tasks
-- Locks the tasks of everybody who has no lease.
select t.id, r.run_id, t.step_id, t.attempt, t.run_at
from {schema}.workflow_tasks as t join {schema}.workflow_runs as r on r.id = t.run
where t.owner is not null
    and not exists (select 1 from {schema}.workflow_workers where worker = t.owner)
order by t.id for update of t skip locked

-- :name free_lost_tasks
-- Makes locked tasks ownerless and due at their times. The attempts stay counted, and have left no
-- error.
update {schema}.workflow_tasks as t set owner = null, run_at = w.run_at, error = null
from unnest(%(id)s::bigint[], %(run_at)s::bigint[]) as w (id, run_at)
where t.id = w.id

-- :name free_runs_of
-- Makes the runs of one worker ownerless and due.
update {schema}.workflow_runs as r set
    owner = null,
    mailed_at = case when mail = seen then %(now)s else mailed_at end,
    mail = mail + 1
from (
    select id from {schema}.workflow_runs where owner = %(worker)s order by id for update
) as held
where r.id = held.id

-- :name free_tasks_of
-- Makes the tasks of one worker ownerless. The attempts stay counted.
update {schema}.workflow_tasks as t set owner = null
from (
    select id from {schema}.workflow_tasks where owner = %(worker)s order by id for update
) as held
where t.id = held.id

-- :name unclaimed_tasks
-- Free tasks whose time has come and whose step is not among the names, oldest due first.
select r.run_id, step_id, name, payload, attempt, run_at, t.created_at, error, meta, t.owner
from {schema}.workflow_tasks as t join {schema}.workflow_runs as r on r.id = t.run
where t.owner is null and run_at <= %(now)s and r.parked is null
    and name <> all (%(names)s::text[])
order by run_at, t.id limit %(limit)s

-- :name live_workers
-- The workers that have a lease.
select worker, lease_until, registry from {schema}.workflow_workers where lease_until > %(now)s
