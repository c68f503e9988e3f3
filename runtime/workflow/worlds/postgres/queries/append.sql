-- The short way of an append, in parts that appends.py puts together as a group needs them.
-- A column with an index keeps its value where it can: then no index has to be written.

-- :name append_one
-- Applies one turn, if it fits.
with locked as (
    update {schema}.workflow_runs as r set
        head = %(expected)s::bigint + %(count)s::bigint,
        seen = greatest(r.seen, %(seen)s::bigint),
        mailed_at = case
            when r.mail > greatest(r.seen, %(seen)s::bigint) then %(now)s::bigint else r.mailed_at
        end,
        next_timer = %(next_timer)s::bigint,
        claims = 0,
        owner = %(owner)s::text,
        status = coalesce(
            %(ends)s::text,
            case when r.status = 'pending' and %(count)s::bigint > 0 then 'running' else r.status end
        ),
        started_at = case
            when r.status = 'pending' and %(count)s::bigint > 0 then %(at)s::bigint else r.started_at
        end,
        bundle = coalesce(%(bundle)s::text, r.bundle),
        python = coalesce(%(python)s::text, r.python),
        completed_at = case when %(ends)s::text is not null then %(at)s::bigint end,
        output = %(output)s::bytea,
        error_code = %(error_code)s::text
    where r.run_id = %(run_id)s::text and r.fence = %(fence)s::bigint and r.head = %(expected)s::bigint
        and r.completed_at is null and r.parked is null
        and (%(ends)s::text is null or r.parent_run is null)
    returning r.id, r.run_id, r.mail, %(ends)s::text as ends
)

-- :name append_many
-- Applies those turns of a group that fit.
with asked as materialized (
    select * from unnest(
        %(run_id)s::text[], %(fence)s::bigint[], %(expected)s::bigint[], %(count)s::bigint[],
        %(at)s::bigint[], %(seen)s::bigint[], %(next_timer)s::bigint[], %(owner)s::text[],
        %(bundle)s::text[], %(python)s::text[], %(ends)s::text[], %(output)s::bytea[],
        %(error_code)s::text[]
    ) as a (
        run_id, fence, expected, count, at, seen, next_timer, owner, bundle, python, ends, output,
        error_code
    )
), fitting as materialized (
    select r.id as run, a.*
    from asked as a join {schema}.workflow_runs as r on r.run_id = a.run_id
    where r.fence = a.fence and r.head = a.expected and r.completed_at is null and r.parked is null
        and (a.ends is null or r.parent_run is null)
    order by r.id for update of r
), locked as (
    update {schema}.workflow_runs as r set
        head = a.expected + a.count,
        seen = greatest(r.seen, a.seen),
        mailed_at = case when r.mail > greatest(r.seen, a.seen) then %(now)s else r.mailed_at end,
        next_timer = a.next_timer,
        claims = 0,
        owner = a.owner,
        status = coalesce(
            a.ends, case when r.status = 'pending' and a.count > 0 then 'running' else r.status end
        ),
        started_at = case
            when r.status = 'pending' and a.count > 0 then a.at else r.started_at
        end,
        bundle = coalesce(a.bundle, r.bundle),
        python = coalesce(a.python, r.python),
        completed_at = case when a.ends is not null then a.at end,
        output = a.output,
        error_code = a.error_code
    from fitting as a where r.id = a.run
    returning r.id, r.run_id, r.mail, a.ends
)

-- :name append_events
-- Their events.
, logged as (
    insert into {schema}.workflow_events (run, seq, type, at, ref, name, payload, meta)
    select a.id, e.seq, e.type, e.at, e.ref, e.name, e.payload, e.meta
    from unnest(
        %(e_run)s::text[], %(e_seq)s::bigint[], %(e_type)s::text[], %(e_at)s::bigint[],
        %(e_ref)s::text[], %(e_name)s::text[], %(e_payload)s::bytea[], %(e_meta)s::bytea[]
    ) as e (run_id, seq, type, at, ref, name, payload, meta)
    join locked as a on a.run_id = e.run_id
)

-- :name append_eaten
-- The letters they used.
, eaten as (
    delete from {schema}.workflow_letters as l
    using locked as a, unnest(%(l_run)s::text[], %(l_n)s::bigint[]) as e (run_id, n)
    where e.run_id = a.run_id and l.run = a.id and l.n = e.n
)

-- :name append_dropped
-- The steps they take back.
, taken_back as (
    delete from {schema}.workflow_tasks as t
    using locked as a, unnest(%(d_run)s::text[], %(d_step)s::text[]) as d (run_id, step_id)
    where d.run_id = a.run_id and t.run = a.id and t.step_id = d.step_id
)

-- :name append_added
-- The steps they hand out.
, handed_out as (
    insert into {schema}.workflow_tasks
        (run, step_id, name, payload, attempt, run_at, created_at, error, meta)
    select a.id, t.step_id, t.name, t.payload, t.attempt, t.run_at, t.created_at, t.error, t.meta
    from unnest(
        %(t_run)s::text[], %(t_step)s::text[], %(t_name)s::text[], %(t_payload)s::bytea[],
        %(t_attempt)s::bigint[], %(t_run_at)s::bigint[], %(t_created_at)s::bigint[],
        %(t_error)s::bytea[], %(t_meta)s::bytea[]
    ) with ordinality as t (
        run_id, step_id, name, payload, attempt, run_at, created_at, error, meta, place
    )
    join locked as a on a.run_id = t.run_id
    order by t.place
    on conflict (run, step_id) do nothing
)

-- :name append_ended
-- What goes with a run.
, cleared_tasks as (
    delete from {schema}.workflow_tasks as t using locked as a
    where a.ends is not null and t.run = a.id
), cleared_hooks as (
    delete from {schema}.workflow_hooks as h using locked as a
    where a.ends is not null and h.run = a.id
)

-- :name append_answer
-- The turns that were applied.
select run_id, mail from locked
