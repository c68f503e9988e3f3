-- Statements over many rows. `{rows}` stands for a list of value tuples; `column1` is the first of a
-- tuple. Lists are filled up with nulls to a few sizes, so that statements stay prepared.

-- :name go_on_with_runs
-- Applies those turns of a group that leave their run as it is but for its log: its owner, its mail
-- and its timer stay. No column here has an index, and so none is written.
-- Run id, fence, head before, number of events, seen, next timer, owner.
update runs set head = head + v.column4, claims = 0
from (values {rows}) as v
where runs.run_id = v.column1 and fence = v.column2 and head = v.column3
    and completed_at is null and parked is null and status <> 'pending'
    and seen >= v.column5 and next_timer is v.column6 and owner = v.column7
returning run_id, id, mail

-- :name append_runs
-- Applies those turns of a group that fit and need nothing but their run.
-- Run id, fence, head before, number of events, time, seen, next timer, owner, bundle, python, end,
-- output, error code, now.
update runs set
    status = coalesce(
        v.column11, case when status = 'pending' and v.column4 > 0 then 'running' else status end
    ),
    started_at = case when status = 'pending' and v.column4 > 0 then v.column5 else started_at end,
    completed_at = case when v.column11 is not null then v.column5 end,
    output = v.column12,
    error_code = v.column13,
    bundle = coalesce(v.column9, bundle),
    python = coalesce(v.column10, python),
    head = head + v.column4,
    seen = max(seen, v.column6),
    mailed_at = v.column14,
    next_timer = v.column7,
    owner = v.column8,
    claims = 0
from (values {rows}) as v
where runs.run_id = v.column1 and fence = v.column2 and head = v.column3
    and completed_at is null and parked is null
    and (v.column11 is null or parent_run is null)
returning run_id, id, mail

-- :name find_runs
-- What the rules ask about runs, by their ids. An ended run's result is never written again.
select id, run_id, workflow, status, started_at, completed_at, null, error_code, bundle, python,
    attributes, parent_run, parent_ref, head, mail, seen, mailed_at, next_timer, owner, fence,
    claims, parked
from runs where run_id in (values {rows})

-- :name parents
-- The runs that are told of the ends of others.
select parent_run from runs where run_id in (values {rows}) and parent_run is not null

-- :name find_hooks
-- Who holds tokens.
select token, run_id, hook_id from hooks join runs on runs.id = hooks.run
where token in (values {rows})

-- :name find_keys
-- The runs that idempotency keys of workflows have made.
select workflow, idempotency_key, run_id
from runs join (values {rows}) as v
    on workflow = v.column1 and idempotency_key = v.column2 and idempotency_key is not null

-- :name find_letter_keys
-- Dedupe keys of runs that were used before, and whether in time.
select run_id, dedupe, in_time
from (values {rows}) as v join runs on run_id = v.column1
    join letter_keys on run = runs.id and dedupe = v.column2

-- :name find_tasks
-- Whose attempts tasks are.
select tasks.id, run_id, step_id, tasks.owner, attempt
from (values {rows}) as v join runs on run_id = v.column1
    join tasks on run = runs.id and step_id = v.column2

-- :name find_last_events
-- The times of the last events of runs.
select run_id, (select at from events where run = runs.id order by seq desc limit 1)
from runs where run_id in (values {rows})

-- :name find_streams
-- Streams of runs.
select streams.id, run_id, name, next, closed
from (values {rows}) as v join runs on run_id = v.column1
    join streams on run = runs.id and name = v.column2

-- :name add_runs
-- Creates runs.
insert into runs (
    id, head, mail, seen, mailed_at, next_timer, owner, fence, claims, status, started_at,
    completed_at, output, error_code, bundle, python, attributes, parked, run_id, workflow,
    created_at, idempotency_key, parent_run, parent_ref
)
select * from (values {rows}) where column1 is not null

-- :name save_runs
-- Writes what changes often. Id, head, mail, seen, mailed_at, next timer, owner, fence, claims.
update runs set
    head = v.column2, mail = v.column3, seen = v.column4, mailed_at = v.column5,
    next_timer = v.column6, owner = v.column7, fence = v.column8, claims = v.column9
from (values {rows}) as v where runs.id = v.column1

-- :name save_all_of_runs
-- Writes everything that may change.
update runs set
    head = v.column2, mail = v.column3, seen = v.column4, mailed_at = v.column5,
    next_timer = v.column6, owner = v.column7, fence = v.column8, claims = v.column9,
    status = v.column10, started_at = v.column11, completed_at = v.column12, output = v.column13,
    error_code = v.column14, bundle = v.column15, python = v.column16, attributes = v.column17,
    parked = v.column18
from (values {rows}) as v where runs.id = v.column1

-- :name add_events
-- Writes events at the ends of logs.
insert into events (run, seq, type, at, ref, name, payload, meta)
select * from (values {rows}) where column1 is not null

-- :name add_letters
-- Puts letters into the mail of runs.
insert into letters (run, n, kind, ref, name, payload, meta, at, dedupe)
select * from (values {rows}) where column1 is not null

-- :name add_letter_keys
-- Notes dedupe keys.
insert into letter_keys (run, dedupe, in_time)
select * from (values {rows}) where column1 is not null

-- :name eat_letters
-- Deletes letters that turns have used.
delete from letters where id in (
    select letters.id from (values {rows}) as v
        join letters on run = v.column1 and n = v.column2
)

-- :name add_tasks
-- Hands steps to any worker, unless they were handed out before.
insert into tasks (run, step_id, name, payload, attempt, run_at, created_at, error, meta)
select * from (values {rows}) where column1 is not null
on conflict (run, step_id) do nothing

-- :name drop_tasks
-- Takes steps back.
delete from tasks where id in (
    select tasks.id from (values {rows}) as v
        join tasks on run = v.column1 and step_id = v.column2
)

-- :name finish_tasks
-- Deletes tasks whose results have been posted.
delete from tasks where id in (values {rows})

-- :name retry_tasks
-- Frees tasks for their next attempts. Id, time, error, attempts that do not count.
update tasks set
    owner = null, run_at = v.column2, error = coalesce(v.column3, error),
    attempt = attempt - v.column4
from (values {rows}) as v where tasks.id = v.column1

-- :name offer_tasks
-- Offers the steps of runs at once that were handed back unbegun. Run, time.
update tasks set run_at = v.column2 from (values {rows}) as v
where run = v.column1 and owner is null and attempt = 0 and run_at > v.column2

-- :name drop_tasks_of_runs
-- Takes all steps of runs back.
delete from tasks where run in (values {rows})

-- :name add_hooks
-- Opens tokens.
insert into hooks (token, run, hook_id, created_at, webhook, metadata, meta)
select * from (values {rows}) where column1 is not null

-- :name close_hooks
-- Frees the tokens of hooks.
delete from hooks where id in (
    select hooks.id from (values {rows}) as v
        join hooks on run = v.column1 and hook_id = v.column2
)

-- :name close_hooks_of_runs
-- Frees all tokens of runs.
delete from hooks where run in (values {rows})

-- :name save_streams
-- Starts streams, or hands out the indices of new chunks.
insert into streams (id, run, name, next, closed)
select * from (values {rows}) where column1 is not null
on conflict (id) do update set next = excluded.next, closed = excluded.closed

-- :name add_chunks
-- Writes chunks under indices that were handed out.
insert into chunks (stream, i, step_id, attempt, data)
select * from (values {rows}) where column1 is not null

-- :name last_run_id
-- The highest number of a run.
select coalesce(max(id), 0) from runs

-- :name last_stream_id
-- The highest number of a stream.
select coalesce(max(id), 0) from streams

-- :name claim_runs
-- Makes a worker the owner of runs under new fences. Run id, worker.
update runs set owner = v.column2, fence = fence + 1, claims = claims + 1
from (values {rows}) as v where runs.run_id = v.column1

-- :name claim_tasks
-- Hands tasks to a worker as their next attempts. Id, worker, time.
update tasks set owner = v.column2, attempt = attempt + 1, run_at = v.column3
from (values {rows}) as v where tasks.id = v.column1

-- :name run_records
-- Runs as the port shows them.
select run_id, workflow, status, created_at,
    (select payload from events where run = runs.id and seq = 1) as input,
    started_at, completed_at, output, error_code, bundle, python, idempotency_key, attributes,
    parent_run, parent_ref, head, mail, seen, next_timer, owner, fence, claims, parked
from runs where run_id in (values {rows})

-- :name delay_runs
-- Lets runs without an owner be due later. Run id, time.
update runs set mailed_at = v.column2
from (values {rows}) as v where runs.run_id = v.column1

-- :name free_crashed_tasks
-- Makes tasks of dead workers ownerless and due later. Id, time. The attempt stays counted, and has
-- left no error.
update tasks set owner = null, run_at = v.column2, error = null
from (values {rows}) as v where tasks.id = v.column1

-- :name tasks_by_id
-- Tasks as the port shows them.
select run_id, step_id, name, payload, attempt, run_at, tasks.created_at, error, meta, tasks.owner,
    tasks.id
from tasks join runs on runs.id = tasks.run
where tasks.id in (values {rows})

-- :name events_after
-- Events of runs after a position. Run id, position.
select run_id, seq, type, at, ref, name, payload, meta
from (values {rows}) as v join runs on run_id = v.column1
    join events on run = runs.id and seq > v.column2
order by run, seq

-- :name first_letters
-- The first 256 letters in the mail of runs, in order.
select run_id, kind, n, ref, name, payload, meta, at, dedupe
from runs join letters on letters.run = runs.id and n <= coalesce(
    (select n from letters as first where first.run = runs.id order by n limit 1 offset 255),
    9223372036854775807
)
where run_id in (values {rows})
order by letters.run, n

-- :name open_steps
-- Steps of runs that have a task.
select run_id, step_id from runs join tasks on run = runs.id where run_id in (values {rows})

-- :name result_letters
-- Steps whose results are in the mail of runs.
select run_id, ref from runs join letters on run = runs.id
where run_id in (values {rows}) and kind in ('step_completed', 'step_failed')
