-- :name known_letter
-- Whether a dedupe key was used for a run, and if so, whether its letter came in time.
select in_time from letter_keys where run = :run and dedupe = :dedupe

-- :name remember_letter
-- Notes a dedupe key.
insert into letter_keys (run, dedupe, in_time) values (:run, :dedupe, :in_time)

-- :name add_letter
-- Puts a letter into a run's mail.
insert into letters (run, n, kind, ref, name, payload, meta, at, dedupe)
values (:run, :n, :kind, :ref, :name, :payload, :meta, :at, :dedupe)

-- :name eat_letters
-- Deletes a letter that a turn has used.
delete from letters where run = :run and n = :n

-- :name list_letters
-- A run's unused mail in order.
select kind, n, ref, name, payload, meta, at, dedupe from letters
where run = (select id from runs where run_id = :run_id)
order by n limit :limit

-- :name lettered_steps
-- Steps whose result is in a run's mail.
select ref from letters
where run = (select id from runs where run_id = :run_id)
    and kind in ('step_completed', 'step_failed')

-- :name add_hook
-- Opens a token.
insert into hooks (token, run, hook_id, created_at, webhook, metadata, meta)
values (:token, :run, :hook_id, :at, :webhook, :metadata, :meta)

-- :name get_hook
-- The open hook that holds a token.
select run_id, hook_id, token, hooks.created_at, webhook, metadata, meta
from hooks join runs on runs.id = hooks.run
where token = :token

-- :name list_hooks
-- The open hooks of one run, or of all.
select run_id, hook_id, token, hooks.created_at, webhook, metadata, meta
from hooks join runs on runs.id = hooks.run
where :run_id is null or run_id = :run_id
order by hooks.id

-- :name close_hook
-- Frees the token of one hook.
delete from hooks where run = :run and hook_id = :hook_id

-- :name close_hooks
-- Frees all tokens of a run.
delete from hooks where run = :run
