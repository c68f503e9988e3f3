-- When each bundle was last said to be in use, in microseconds.
alter table bundles add column used_at integer not null default 0;
update bundles set used_at = 1000000 * cast(strftime('%s', 'now') as integer);
