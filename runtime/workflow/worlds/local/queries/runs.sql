-- :name run_by_key
-- The run that an idempotency key of a workflow made.
select run_id from runs where workflow = :workflow and idempotency_key = :key

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

-- :name add_run
-- Creates a run, due by one nudge or by its start time.
insert into runs (
    run_id, workflow, status, created_at, idempotency_key, attributes, parent_run, parent_ref,
    mail, mailed_at, next_timer
) values (
    :run_id, :workflow, 'pending', :now, :key, :attributes, :parent_run, :parent_ref,
    :start_at is null, :now, :start_at
)
returning id

-- :name add_events
-- Writes events at the end of a run's log.
insert into events (run, seq, type, at, ref, name, payload, meta)
values (:run, :seq, :type, :at, :ref, :name, :payload, :meta)

-- :name list_events
-- A run's events after a position.
select seq, type, at, ref, name, payload, meta from events
where run = (select id from runs where run_id = :run_id) and seq > :after
order by seq limit :limit

-- :name last_event_at
-- The time of a run's last event.
select at from events where run = :run order by seq desc limit 1

-- :name nudge
-- Raises the mail counter of a run and gives the new number.
update runs set
    mailed_at = case when mail = seen then :now else mailed_at end,
    mail = mail + 1
where id = :run
returning mail

-- :name due_runs
-- Unowned runs with unseen mail or a passed timer, oldest due first.
with due (id, since) as (
    select * from (
        select id, mailed_at from runs
        where owner is null and completed_at is null and parked is null and mail > seen
        order by mailed_at, id limit :limit
    )
    union all
    select * from (
        select id, next_timer from runs
        where owner is null and completed_at is null and parked is null and next_timer <= :now
            and next_timer is not null
        order by next_timer, id limit :limit
    )
)
select runs.run_id from due join runs using (id)
group by id order by min(since), id limit :limit

-- :name claim_run
-- Makes a worker the owner of a run under a new fence.
update runs set owner = :worker, fence = fence + 1, claims = claims + 1 where run_id = :run_id

-- :name own_due
-- Runs that a worker owns and that have unseen mail or a passed timer.
select run_id from runs
where owner = :worker and (mail > seen or next_timer <= :now)
order by id

-- :name next_due
-- When the next timer of an unowned or own run, or the next free task, falls due.
select min(at) from (
    select min(next_timer) as at from runs
    where owner is null and completed_at is null and parked is null and next_timer is not null
        and next_timer > :now
    union all
    select min(next_timer) from runs where owner = :worker and next_timer > :now
    union all
    select min(run_at) from tasks where owner is null and run_at > :now
)

-- :name advance
-- Everything an append sets on the run row.
update runs set
    status = :status, started_at = :started_at, head = :head, seen = max(seen, :seen),
    mailed_at = :now, next_timer = :next_timer, claims = 0, owner = :owner,
    attributes = :attributes, bundle = :bundle, python = :python
where id = :run
returning mail;

-- :name park
-- Takes an open run out of the circle of due runs.
update runs set parked = :parked, owner = null where id = :run

-- :name unpark
-- Lets a parked run go on, under a fence that no live copy of the old code has.
update runs set parked = null, claims = 0, fence = fence + 1, bundle = coalesce(:bundle, bundle)
where id = :run

-- :name end_run
-- Gives a run its final state.
update runs set
    status = :status, output = :output, error_code = :error_code, completed_at = :at,
    owner = null, parked = null, next_timer = null
where id = :run

-- :name raise_fence
-- Shuts the owner of a run out and counts the event that ends it.
update runs set fence = fence + 1, head = head + 1 where id = :run

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
-- Keeps a bundle's source.
insert into bundles (bundle, source) values (:bundle, :source) on conflict do nothing

-- :name get_bundle
-- A bundle's source.
select source from bundles where bundle = :bundle

-- :name add_secret
-- Keeps a new secret unless there is one of this name.
insert into secrets (name, value) values (:name, :value) on conflict do nothing

-- :name get_secret
-- A secret's value.
select value from secrets where name = :name
