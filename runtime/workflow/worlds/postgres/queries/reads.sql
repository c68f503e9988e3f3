-- :name run_records
-- Runs as the port shows them.
select run_id, workflow, status, r.created_at,
    (select payload from {schema}.workflow_events where run = r.id and seq = 1),
    started_at, completed_at, output,
    error_code, bundle, python, idempotency_key, attributes::text, parent_run, parent_ref, head,
    mail, seen, next_timer, owner, fence, claims, parked
from {schema}.workflow_runs as r
where run_id = any (%(runs)s::text[])

-- :name load_events
-- The events of runs after a position, by the place of the question. The limits in these four keep
-- the planner to one look into the index for each run.
select place, e.* from unnest(%(runs)s::text[], %(after)s::bigint[]) with ordinality
    as w (run_id, after, place)
join {schema}.workflow_runs as r on r.run_id = w.run_id
cross join lateral (
    select seq, type, at, ref, name, payload, meta from {schema}.workflow_events
    where run = r.id and seq > w.after order by seq limit 1000000000
) as e
order by place, e.seq

-- :name load_letters
-- The unused mail of runs in order.
select place, l.* from unnest(%(runs)s::text[], %(limits)s::bigint[]) with ordinality
    as w (run_id, most, place)
join {schema}.workflow_runs as r on r.run_id = w.run_id
cross join lateral (
    select kind, n, ref, name, payload, meta, at, dedupe from {schema}.workflow_letters
    where run = r.id order by n limit w.most
) as l
order by place, l.n

-- :name load_tasks
-- The steps of runs that have a task.
select place, t.step_id from unnest(%(runs)s::text[]) with ordinality as w (run_id, place)
join {schema}.workflow_runs as r on r.run_id = w.run_id
cross join lateral (
    select step_id from {schema}.workflow_tasks where run = r.id limit 1000000000
) as t

-- :name load_lettered
-- The steps whose results are in the mail of runs.
select place, l.ref from unnest(%(runs)s::text[]) with ordinality as w (run_id, place)
join {schema}.workflow_runs as r on r.run_id = w.run_id
cross join lateral (
    select ref from {schema}.workflow_letters
    where run = r.id and kind in ('step_completed', 'step_failed') limit 1000000000
) as l

-- :name list_runs
-- A page of runs, newest first, one more than asked to see whether it was the last page.
select run_id, workflow, status, r.created_at,
    (select payload from {schema}.workflow_events where run = r.id and seq = 1),
    started_at, completed_at, output,
    error_code, bundle, python, idempotency_key, attributes::text, parent_run, parent_ref, head,
    mail, seen, next_timer, owner, fence, claims, parked
from {schema}.workflow_runs as r
where (%(workflow)s::text is null or workflow = %(workflow)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(parked)s::boolean is null or (parked is not null) = %(parked)s)
    and (%(created_from)s::bigint is null or r.created_at >= %(created_from)s)
    and (%(created_before)s::bigint is null or r.created_at < %(created_before)s)
    and (%(cursor_at)s::bigint is null or (r.created_at, run_id) < (%(cursor_at)s, %(cursor_id)s))
    and attributes @> %(attributes)s::jsonb
order by r.created_at desc, run_id desc
limit %(limit)s

-- :name list_events
-- A run's events after a position.
select seq, type, at, ref, name, payload, meta from {schema}.workflow_events
where run = (select id from {schema}.workflow_runs where run_id = %(run_id)s) and seq > %(after)s
order by seq limit %(limit)s

-- :name list_letters
-- A run's unused mail in order.
select kind, n, ref, name, payload, meta, at, dedupe from {schema}.workflow_letters
where run = (select id from {schema}.workflow_runs where run_id = %(run_id)s)
order by n limit %(limit)s

-- :name list_tasks
-- The tasks of a run in the order they were made.
select run_id, step_id, name, payload, attempt, run_at, t.created_at, error, meta, t.owner
from {schema}.workflow_tasks as t join {schema}.workflow_runs as r on r.id = t.run
where run_id = %(run_id)s order by t.id

-- :name list_hooks
-- The open hooks of one run, or of all.
select run_id, hook_id, token, h.created_at, webhook, metadata, meta
from {schema}.workflow_hooks as h join {schema}.workflow_runs as r on r.id = h.run
where %(run_id)s::text is null or run_id = %(run_id)s
order by h.id

-- :name page_of_hooks
-- A page of open hooks, one more than asked to see whether it was the last page.
select run_id, hook_id, token, h.created_at, webhook, metadata, meta
from {schema}.workflow_hooks as h join {schema}.workflow_runs as r on r.id = h.run
where (%(run_id)s::text is null or run_id = %(run_id)s)
    and starts_with(token, %(prefix)s::text)
    and (%(webhook)s::boolean is null or webhook = %(webhook)s)
    and (
        %(at)s::bigint is null
        or (h.created_at, run_id collate "C", hook_id collate "C")
            > (%(at)s, %(cursor_run)s::text, %(cursor_hook)s::text)
    )
order by h.created_at, run_id collate "C", hook_id collate "C" limit %(limit)s

-- :name get_hook
-- The open hook that holds a token.
select run_id, hook_id, token, h.created_at, webhook, metadata, meta
from {schema}.workflow_hooks as h join {schema}.workflow_runs as r on r.id = h.run
where token = %(token)s

-- :name load_streams
-- Streams of runs by the place of the question; nulls for a stream that is not there.
select place, r.status, s.id, s.next, s.closed
from unnest(%(runs)s::text[], %(streams)s::text[]) with ordinality as w (run_id, name, place)
join {schema}.workflow_runs as r on r.run_id = w.run_id
left join {schema}.workflow_streams as s on s.run = r.id and s.name = w.name

-- :name load_chunks
-- Chunks of streams from an index on, by the place of the question.
select place, c.* from unnest(
    %(runs)s::text[], %(streams)s::text[], %(starts)s::bigint[], %(limits)s::bigint[]
) with ordinality as w (run_id, name, start, most, place)
join {schema}.workflow_runs as r on r.run_id = w.run_id
join {schema}.workflow_streams as s on s.run = r.id and s.name = w.name
cross join lateral (
    select i, data, step_id, attempt from {schema}.workflow_stream_chunks
    where stream = s.id and i >= w.start order by i limit w.most
) as c
order by place, c.i

-- :name list_streams
-- The names of a run's streams.
select name from {schema}.workflow_streams
where run = (select id from {schema}.workflow_runs where run_id = %(run_id)s)
order by name collate "C"

-- :name add_bundle
-- Keeps a bundle's source, and notes that it is in use.
insert into {schema}.workflow_bundles (bundle, source, used_at)
values (%(bundle)s, %(source)s, %(now)s::bigint)
on conflict (bundle) do update set used_at = excluded.used_at

-- :name get_bundle
-- A bundle's source.
select source from {schema}.workflow_bundles where bundle = %(bundle)s

-- :name add_secret
-- Keeps a new secret unless there is one of this name.
insert into {schema}.workflow_secrets (name, value) values (%(name)s, %(value)s)
on conflict do nothing

-- :name get_secret
-- A secret's value.
select value from {schema}.workflow_secrets where name = %(name)s
