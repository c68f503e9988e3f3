-- :name old_runs
-- Runs that ended before a time, those created first. Nothing ends before it is created, so the
-- index on the time of creation bounds the search.
select id, run_id from runs
where created_at < :before and completed_at < :before
    and status in (select value from json_each(:statuses))
order by created_at, run_id limit :limit

-- :name delete_chunks_of_runs
-- Deletes what the streams of runs hold.
delete from chunks where stream in (select id from streams where run in (values {rows}))

-- :name delete_streams_of_runs
-- Deletes the streams of runs.
delete from streams where run in (values {rows})

-- :name delete_events_of_runs
-- Deletes the logs of runs.
delete from events where run in (values {rows})

-- :name delete_letters_of_runs
-- Deletes the undelivered mail of runs.
delete from letters where run in (values {rows})

-- :name delete_letter_keys_of_runs
-- Forgets the dedupe keys of runs.
delete from letter_keys where run in (values {rows})

-- :name delete_tasks_of_runs
-- Deletes the tasks of runs. Ended runs should have none.
delete from tasks where run in (values {rows})

-- :name delete_hooks_of_runs
-- Deletes the tokens of runs. Ended runs should have none.
delete from hooks where run in (values {rows})

-- :name delete_runs_themselves
-- Deletes runs.
delete from runs where id in (values {rows})

-- :name free_bundles
-- Bundles that were not in use since a time and that no run is pinned to.
select bundle from bundles
where used_at < :before and bundle not in (select bundle from runs where bundle is not null)
order by bundle

-- :name delete_bundle
-- Deletes a bundle, unless it came into use in the meantime.
delete from bundles where bundle = :bundle and used_at < :before
