-- :name add_tasks
-- Hands a step to any worker, unless it was handed out before.
insert into tasks (run, step_id, name, payload, attempt, run_at, created_at, error, meta)
values (:run, :step_id, :name, :payload, :attempt, :run_at, :created_at, :error, :meta)
on conflict (run, step_id) do nothing

-- :name drop_task
-- Takes a step back.
delete from tasks where run = :run and step_id = :step_id

-- :name drop_tasks
-- Takes all steps of a run back.
delete from tasks where run = :run

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
select id from tasks
where owner is null and run_at <= :now and name in (select value from json_each(:names))
order by run_at, id limit :limit

-- :name claim_task
-- Hands a task to a worker as its next attempt.
update tasks set owner = :worker, attempt = attempt + 1 where id = :task

-- :name get_task
-- A task as the port shows it.
select run_id, step_id, name, payload, attempt, run_at, tasks.created_at, error, meta, tasks.owner
from tasks join runs on runs.id = tasks.run
where tasks.id = :task

-- :name finish_task
-- Deletes a task if this is still the attempt of its worker.
delete from tasks
where run = (select id from runs where run_id = :run_id) and step_id = :step_id
    and owner = :worker and attempt = :attempt

-- :name retry_task
-- Frees a task for its next attempt if this is still the attempt of its worker.
update tasks set
    owner = null, run_at = :run_at, error = coalesce(:error, error), attempt = attempt - :uncount
where run = (select id from runs where run_id = :run_id) and step_id = :step_id
    and owner = :worker and attempt = :attempt

-- :name free_tasks
-- Makes the tasks of an owner ownerless. The attempt stays counted.
update tasks set owner = null where owner = :owner

-- :name is_current_attempt
-- Whether a task is still this attempt of this worker.
select 1 from tasks
where run = :run and step_id = :step_id and owner = :worker and attempt = :attempt

-- :name get_stream
-- A stream of a run.
select id, next, closed from streams
where run = (select id from runs where run_id = :run_id) and name = :stream

-- :name add_stream
-- Starts a stream.
insert into streams (run, name, next, closed) values (:run, :stream, 0, 0)

-- :name move_stream
-- Hands out the indices of new chunks, and closes the stream if asked.
update streams set next = :next, closed = :closed where run = :run and name = :stream

-- :name add_chunks
-- Writes chunks under indices that were handed out.
insert into chunks (stream, i, step_id, attempt, data)
values ((select id from streams where run = :run and name = :stream), :i, :step_id, :attempt, :data)

-- :name list_chunks
-- Chunks of a stream from an index on.
select i as "index", data, step_id, attempt from chunks
where stream = :stream and i >= :start order by i limit :limit

-- :name list_streams
-- The names of a run's streams.
select name from streams where run = (select id from runs where run_id = :run_id) order by name
