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

-- :name get_hook
-- The open hook that holds a token.
select run_id, hook_id, token, hooks.created_at, webhook, metadata, meta
from hooks join runs on runs.id = hooks.run
where token = :token

-- :name page_of_hooks
-- A page of open hooks, one more than asked to see whether it was the last page.
select run_id, hook_id, token, hooks.created_at, webhook, metadata, meta
from hooks join runs on runs.id = hooks.run
where (:run_id is null or run_id = :run_id)
    and substr(token, 1, length(:prefix)) = :prefix
    and (:webhook is null or webhook = :webhook)
    and (:at is null or (hooks.created_at, run_id, hook_id) > (:at, :cursor_run, :cursor_hook))
order by hooks.created_at, run_id, hook_id limit :limit

-- :name list_hooks
-- The open hooks of one run, or of all.
select run_id, hook_id, token, hooks.created_at, webhook, metadata, meta
from hooks join runs on runs.id = hooks.run
where :run_id is null or run_id = :run_id
order by hooks.id
