-- :name lock_names
-- Orders the writers that may insert equal keys: tokens, idempotency keys, ids of new runs.
select pg_advisory_xact_lock(k) from (
    select distinct hashtextextended(name, 0) as k from unnest(%(names)s::text[]) as n (name)
    order by k
) as sorted

-- :name lock_runs
-- Locks runs in the order of their ids and reads what the rules ask about them.
select id, run_id, workflow, status, started_at, completed_at, null::bytea, error_code, bundle,
    python, attributes::text, parent_run, parent_ref, head, mail, seen, mailed_at, next_timer, owner,
    fence, claims, parked
from {schema}.workflow_runs
where run_id = any (%(runs)s::text[])
order by id for update

-- :name lock_related
-- The same with the parents of some runs and the holders of some tokens.
select id, run_id, workflow, status, started_at, completed_at, null::bytea, error_code, bundle,
    python, attributes::text, parent_run, parent_ref, head, mail, seen, mailed_at, next_timer, owner,
    fence, claims, parked
from {schema}.workflow_runs
where id = any (array(
    select id from {schema}.workflow_runs where run_id = any (%(runs)s::text[])
    union
    select parent.id from {schema}.workflow_runs as child
    join {schema}.workflow_runs as parent on parent.run_id = child.parent_run
    where child.run_id = any (%(children)s::text[])
    union
    select run from {schema}.workflow_hooks where token = any (%(tokens)s::text[])
))
order by id for update

-- :name find_hooks
-- The open hooks that hold some tokens.
select h.token, r.run_id, h.hook_id
from {schema}.workflow_hooks as h join {schema}.workflow_runs as r on r.id = h.run
where h.token = any (%(tokens)s::text[])

-- :name find_keys
-- The runs that idempotency keys of workflows made.
select r.workflow, r.idempotency_key, r.run_id
from unnest(%(workflows)s::text[], %(keys)s::text[]) as w (workflow, key)
join {schema}.workflow_runs as r on r.workflow = w.workflow and r.idempotency_key = w.key

-- :name find_letter_keys
-- Which dedupe keys were used for runs, and whether their letters came in time.
select r.run_id, k.dedupe, k.in_time
from unnest(%(runs)s::text[], %(dedupes)s::text[]) as w (run_id, dedupe)
join {schema}.workflow_runs as r on r.run_id = w.run_id
join {schema}.workflow_letter_keys as k on k.run = r.id and k.dedupe = w.dedupe

-- :name find_token_letter_keys
-- The same for the runs that hold tokens.
select r.run_id, k.dedupe, k.in_time
from unnest(%(tokens)s::text[], %(dedupes)s::text[]) as w (token, dedupe)
join {schema}.workflow_hooks as h on h.token = w.token
join {schema}.workflow_runs as r on r.id = h.run
join {schema}.workflow_letter_keys as k on k.run = h.run and k.dedupe = w.dedupe

-- :name lock_tasks
-- Locks tasks and reads whose attempt they are.
select t.id, r.run_id, t.step_id, t.owner, t.attempt
from unnest(%(runs)s::text[], %(steps)s::text[]) as w (run_id, step_id)
join {schema}.workflow_runs as r on r.run_id = w.run_id
join {schema}.workflow_tasks as t on t.run = r.id and t.step_id = w.step_id
order by t.id for update of t

-- :name last_events
-- The time of the last event of runs.
select r.run_id, e.at
from {schema}.workflow_runs as r
join {schema}.workflow_events as e on e.run = r.id and e.seq = r.head
where r.run_id = any (%(runs)s::text[])

-- :name find_streams
-- Streams of runs, by name.
select s.id, r.run_id, s.name, s.next, s.closed
from unnest(%(runs)s::text[], %(names)s::text[]) as w (run_id, name)
join {schema}.workflow_runs as r on r.run_id = w.run_id
join {schema}.workflow_streams as s on s.run = r.id and s.name = w.name

-- :name new_run_ids
-- Row ids for runs to come.
select nextval(pg_get_serial_sequence('{schema}.workflow_runs', 'id'))
from generate_series(1, %(count)s)

-- :name new_stream_ids
-- Row ids for streams to come.
select nextval(pg_get_serial_sequence('{schema}.workflow_streams', 'id'))
from generate_series(1, %(count)s)

-- :name add_runs
-- Creates runs.
insert into {schema}.workflow_runs (
    id, run_id, workflow, status, created_at, started_at, completed_at, output, error_code, bundle,
    python, idempotency_key, attributes, parent_run, parent_ref, head, mail, seen, mailed_at,
    next_timer, owner, fence, claims, parked
)
select id, run_id, workflow, status, created_at, started_at, completed_at, output, error_code,
    bundle, python, key, attributes::jsonb, parent_run, parent_ref, head, mail, seen, mailed_at,
    next_timer, owner, fence, claims, parked
from unnest(
    %(id)s::bigint[], %(run_id)s::text[], %(workflow)s::text[], %(status)s::text[],
    %(created_at)s::bigint[], %(started_at)s::bigint[], %(completed_at)s::bigint[],
    %(output)s::bytea[], %(error_code)s::text[], %(bundle)s::text[], %(python)s::text[],
    %(key)s::text[], %(attributes)s::text[], %(parent_run)s::text[], %(parent_ref)s::text[],
    %(head)s::bigint[], %(mail)s::bigint[], %(seen)s::bigint[], %(mailed_at)s::bigint[],
    %(next_timer)s::bigint[], %(owner)s::text[], %(fence)s::bigint[], %(claims)s::bigint[],
    %(parked)s::text[]
) as w (
    id, run_id, workflow, status, created_at, started_at, completed_at, output, error_code, bundle,
    python, key, attributes, parent_run, parent_ref, head, mail, seen, mailed_at, next_timer, owner,
    fence, claims, parked
)

-- :name save_runs
-- Writes what has changed on locked runs, except what only the first and the last turn set.
update {schema}.workflow_runs as r set
    head = w.head, mail = w.mail, seen = w.seen, mailed_at = w.mailed_at,
    next_timer = w.next_timer, owner = w.owner, fence = w.fence, claims = w.claims
from unnest(
    %(id)s::bigint[], %(head)s::bigint[], %(mail)s::bigint[], %(seen)s::bigint[],
    %(mailed_at)s::bigint[], %(next_timer)s::bigint[], %(owner)s::text[], %(fence)s::bigint[],
    %(claims)s::bigint[]
) as w (id, head, mail, seen, mailed_at, next_timer, owner, fence, claims)
where r.id = w.id

-- :name save_rest_of_runs
-- Writes the other columns of locked runs.
update {schema}.workflow_runs as r set
    status = w.status, started_at = w.started_at, completed_at = w.completed_at, output = w.output,
    error_code = w.error_code, bundle = w.bundle, python = w.python,
    attributes = w.attributes::jsonb, parked = w.parked,
    head = w.head, mail = w.mail, seen = w.seen, mailed_at = w.mailed_at,
    next_timer = w.next_timer, owner = w.owner, fence = w.fence, claims = w.claims
from unnest(
    %(id)s::bigint[], %(status)s::text[], %(started_at)s::bigint[], %(completed_at)s::bigint[],
    %(output)s::bytea[], %(error_code)s::text[], %(bundle)s::text[], %(python)s::text[],
    %(attributes)s::text[], %(parked)s::text[], %(head)s::bigint[], %(mail)s::bigint[],
    %(seen)s::bigint[], %(mailed_at)s::bigint[], %(next_timer)s::bigint[], %(owner)s::text[],
    %(fence)s::bigint[], %(claims)s::bigint[]
) as w (
    id, status, started_at, completed_at, output, error_code, bundle, python, attributes, parked,
    head, mail, seen, mailed_at, next_timer, owner, fence, claims
)
where r.id = w.id

-- :name add_events
-- Writes events at the end of logs.
insert into {schema}.workflow_events (run, seq, type, at, ref, name, payload, meta)
select * from unnest(
    %(run)s::bigint[], %(seq)s::bigint[], %(type)s::text[], %(at)s::bigint[], %(ref)s::text[],
    %(name)s::text[], %(payload)s::bytea[], %(meta)s::bytea[]
)

-- :name add_letters
-- Puts letters into the mail of runs.
insert into {schema}.workflow_letters (run, n, kind, ref, name, payload, meta, at, dedupe)
select * from unnest(
    %(run)s::bigint[], %(n)s::bigint[], %(kind)s::text[], %(ref)s::text[], %(name)s::text[],
    %(payload)s::bytea[], %(meta)s::bytea[], %(at)s::bigint[], %(dedupe)s::text[]
)

-- :name add_letter_keys
-- Notes dedupe keys.
insert into {schema}.workflow_letter_keys (run, dedupe, in_time)
select run, dedupe, in_time <> 0
from unnest(%(run)s::bigint[], %(dedupe)s::text[], %(in_time)s::bigint[]) as w (run, dedupe, in_time)

-- :name forget_calls
-- Deletes names of calls that are not looked for any more. A caller's own key may lie between them.
delete from {schema}.workflow_letter_keys as k
using unnest(%(run)s::bigint[]) as w (run)
where k.run = w.run and k.dedupe >= 'call ' and k.dedupe < %(before)s::text
    and k.dedupe ~ '^call [0-9]{16} [0-9a-f]{16}$'

-- :name eat_letters
-- Deletes letters that turns have used.
delete from {schema}.workflow_letters as l
using unnest(%(run)s::bigint[], %(n)s::bigint[]) as w (run, n)
where l.run = w.run and l.n = w.n

-- :name drop_tasks
-- Takes steps back.
delete from {schema}.workflow_tasks as t
using unnest(%(run)s::bigint[], %(step_id)s::text[]) as w (run, step_id)
where t.run = w.run and t.step_id = w.step_id

-- :name drop_tasks_of_runs
-- Takes all steps of runs back.
delete from {schema}.workflow_tasks where run = any (%(run)s::bigint[])

-- :name offer_tasks
-- Offers the steps of runs at once that were handed back unbegun.
update {schema}.workflow_tasks set run_at = %(now)s
where run = any (%(run)s::bigint[]) and owner is null and attempt = 0 and run_at > %(now)s

-- :name finish_tasks
-- Deletes tasks that are locked and known to be their worker's attempt.
delete from {schema}.workflow_tasks where id = any (%(id)s::bigint[])

-- :name retry_tasks
-- Frees such tasks for their next attempt.
update {schema}.workflow_tasks as t set
    owner = null, run_at = w.run_at, error = coalesce(w.error, t.error),
    attempt = t.attempt - w.uncount
from unnest(%(id)s::bigint[], %(run_at)s::bigint[], %(error)s::bytea[], %(uncount)s::bigint[])
    as w (id, run_at, error, uncount)
where t.id = w.id

-- :name add_tasks
-- Hands steps to any worker, unless they were handed out before.
insert into {schema}.workflow_tasks
    (run, step_id, name, payload, attempt, run_at, created_at, error, meta)
select * from unnest(
    %(run)s::bigint[], %(step_id)s::text[], %(name)s::text[], %(payload)s::bytea[],
    %(attempt)s::bigint[], %(run_at)s::bigint[], %(created_at)s::bigint[], %(error)s::bytea[],
    %(meta)s::bytea[]
)
on conflict (run, step_id) do nothing

-- :name close_hooks
-- Frees the tokens of hooks.
delete from {schema}.workflow_hooks as h
using unnest(%(run)s::bigint[], %(hook_id)s::text[]) as w (run, hook_id)
where h.run = w.run and h.hook_id = w.hook_id

-- :name close_hooks_of_runs
-- Frees all tokens of runs.
delete from {schema}.workflow_hooks where run = any (%(run)s::bigint[])

-- :name add_hooks
-- Opens tokens, which are locked and known to be free.
insert into {schema}.workflow_hooks (token, run, hook_id, created_at, webhook, metadata, meta)
select token, run, hook_id, created_at, webhook <> 0, metadata, meta
from unnest(
    %(token)s::text[], %(run)s::bigint[], %(hook_id)s::text[], %(created_at)s::bigint[],
    %(webhook)s::bigint[], %(metadata)s::bytea[], %(meta)s::bytea[]
) as w (token, run, hook_id, created_at, webhook, metadata, meta)

-- :name save_streams
-- Hands out the indices of new chunks, and closes streams.
insert into {schema}.workflow_streams (id, run, name, next, closed)
select id, run, name, next, closed <> 0
from unnest(
    %(id)s::bigint[], %(run)s::bigint[], %(name)s::text[], %(next)s::bigint[], %(closed)s::bigint[]
) as w (id, run, name, next, closed)
on conflict (run, name) do update set next = excluded.next, closed = excluded.closed

-- :name add_chunks
-- Writes chunks under indices that were handed out.
insert into {schema}.workflow_stream_chunks (stream, i, step_id, attempt, data)
select * from unnest(
    %(stream)s::bigint[], %(i)s::bigint[], %(step_id)s::text[], %(attempt)s::bigint[],
    %(data)s::bytea[]
)
