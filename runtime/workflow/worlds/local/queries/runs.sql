-- :name run_row
-- What the rules ask about a run, by its id.
select id, run_id, workflow, status, completed_at is null as is_open, started_at, head, mail, seen,
    owner, fence, bundle, python, attributes, parked, parent_run, parent_ref
from runs where run_id = :run_id

-- :name run_record
-- A run as the port shows it.
select run_id, workflow, status, created_at,
    (select payload from events where run = runs.id and seq = 1) as input,
    started_at, completed_at, output, error_code, bundle, python, idempotency_key, attributes,
    parent_run, parent_ref, head, mail, seen, next_timer, owner, fence, claims, parked
from runs where run_id = :run_id

-- :name list_runs
-- A page of runs, newest first, one more than asked to see whether it was the last page.
select run_id, workflow, status, created_at,
    (select payload from events where run = runs.id and seq = 1) as input,
    started_at, completed_at, output, error_code, bundle, python, idempotency_key, attributes,
    parent_run, parent_ref, head, mail, seen, next_timer, owner, fence, claims, parked
from runs
where (:workflow is null or workflow = :workflow)
    and (:status is null or status = :status)
    and (:parked is null or (parked is not null) = :parked)
    and (:created_from is null or created_at >= :created_from)
    and (:created_before is null or created_at < :created_before)
    and (:cursor_at is null or (created_at, run_id) < (:cursor_at, :cursor_id))
    and not exists (
        select 1 from json_each(:attributes) as want
        where not exists (
            select 1 from json_each(runs.attributes) as have
            where have.key = want.key and have.value = want.value
        )
    )
order by created_at desc, run_id desc
limit :limit + 1

-- :name list_events
-- A run's events after a position.
select seq, type, at, ref, name, payload, meta from events
where run = (select id from runs where run_id = :run_id) and seq > :after
order by seq limit :limit

-- :name due_runs
-- Unowned runs with unseen mail or a passed timer, oldest due first.
with due (id, since) as (
    select * from (
        select id, mailed_at from runs
        where owner is null and completed_at is null and parked is null and mail > seen
            and (claims <= 1 or mailed_at <= :now)
        order by mailed_at, id limit :limit
    )
    union all
    select * from (
        select id, next_timer from runs
        where owner is null and completed_at is null and parked is null and next_timer <= :now
            and next_timer is not null and (mail = seen or claims <= 1 or mailed_at <= :now)
        order by next_timer, id limit :limit
    )
)
select runs.run_id, claims from due join runs using (id)
group by id order by min(since), id limit :limit

-- :name own_due
-- Runs that a worker owns and that have unseen mail or a passed timer.
select run_id from runs
where owner = :worker and (mail > seen or next_timer <= :now)
order by id

-- :name next_due
-- When the next timer of an unowned or own run, the next run that has crashed, or the next free task
-- falls due, or tasks are given to the worker again.
select min(at) from (
    select min(mailed_at) as at from runs
    where owner is null and completed_at is null and parked is null and mail > seen
        and claims > 1 and mailed_at > :now
    union all
    select min(next_timer) from runs
    where owner is null and completed_at is null and parked is null and next_timer is not null
        and next_timer > :now
    union all
    select min(next_timer) from runs where owner = :worker and next_timer > :now
    union all
    select min(run_at) from tasks where owner is null and run_at > :now
    union all
    select max(run_at) + :alone from tasks
    where owner = :worker and attempt > 2 and error is null
        and run_at > :now - :alone and run_at <= :now
)

-- :name owners
-- Everybody who owns a run or a task.
select owner from runs where owner is not null
union
select owner from tasks where owner is not null

-- :name free_runs
-- Makes the runs of an owner ownerless and due.
update runs set
    owner = null,
    mailed_at = case when mail = seen then :now else mailed_at end,
    mail = mail + 1
where owner = :owner

-- :name runs_of
-- The runs that somebody owns.
select run_id, claims from runs where owner = :owner

-- :name renew_lease
-- Notes until when a worker is to be believed alive.
insert into workers (worker, lease_until, registry) values (:worker, :lease_until, :registry)
on conflict (worker) do update
set lease_until = excluded.lease_until, registry = excluded.registry

-- :name list_workers
-- All leases.
select worker, lease_until, registry from workers

-- :name drop_worker
-- Ends a lease.
delete from workers where worker = :worker

-- :name add_bundle
-- Keeps a bundle's source, and notes that it is in use.
insert into bundles (bundle, source, used_at) values (:bundle, :source, :now)
on conflict do update set used_at = excluded.used_at

-- :name get_bundle
-- A bundle's source.
select source from bundles where bundle = :bundle

-- :name add_secret
-- Keeps a new secret unless there is one of this name.
insert into secrets (name, value) values (:name, :value) on conflict do nothing

-- :name get_secret
-- A secret's value.
select value from secrets where name = :name
