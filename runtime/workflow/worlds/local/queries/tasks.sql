-- :name list_tasks
-- The tasks of a run in the order they were made.
select run_id, step_id, name, payload, attempt, run_at, tasks.created_at, error, meta, tasks.owner
from tasks join runs on runs.id = tasks.run
where run_id = :run_id order by tasks.id

-- :name task_steps
-- Steps of a run that have a task.
select step_id from tasks where run = (select id from runs where run_id = :run_id)

-- :name due_tasks
-- Free tasks whose time has come and whose step is known to the worker, oldest due first.
select id, attempt, error from tasks
where owner is null and run_at <= :now and name in (select value from json_each(:names))
order by run_at, id limit :limit

-- :name watched_until
-- Until when a worker is given no task, because it has claimed a suspect: `watched_until` in
-- `workflow.policy.crashes`. A claimed task has in run_at since when.
select max(run_at) + :alone from tasks
where owner = :worker and attempt > 2 and error is null
    and run_at > :now - :alone and run_at <= :now

-- :name next_task
-- When the next free task falls due.
select min(run_at) from tasks where owner is null and run_at > :now

-- :name free_tasks
-- Makes the tasks of an owner ownerless. The attempt stays counted.
update tasks set owner = null where owner = :owner

-- :name tasks_of
-- The tasks that somebody owns.
select tasks.id, run_id, step_id, attempt, run_at
from tasks join runs on runs.id = tasks.run where tasks.owner = :owner

-- :name get_stream
-- A stream of a run.
select id, next, closed from streams
where run = (select id from runs where run_id = :run_id) and name = :stream

-- :name list_chunks
-- Chunks of a stream from an index on.
select i as "index", data, step_id, attempt from chunks
where stream = :stream and i >= :start order by i limit :limit

-- :name list_streams
-- The names of a run's streams.
select name from streams where run = (select id from runs where run_id = :run_id) order by name

-- :name unclaimed_tasks
-- Free tasks whose time has come and whose step is not among the names, oldest due first.
select run_id, step_id, name, payload, attempt, run_at, tasks.created_at, error, meta, tasks.owner
from tasks join runs on runs.id = tasks.run
where tasks.owner is null and run_at <= :now and parked is null
    and name not in (select value from json_each(:names))
order by run_at, tasks.id limit :limit
