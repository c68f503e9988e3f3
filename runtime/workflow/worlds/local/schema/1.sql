-- Version 1. Times are microseconds since the epoch. A run is open while completed_at is null.

create table runs (
    id integer primary key,
    run_id text not null unique,
    workflow text not null,
    status text not null,
    created_at integer not null,
    started_at integer,
    completed_at integer,
    output blob,
    error_code text,
    bundle text,
    python text,
    idempotency_key text,
    attributes text not null,
    parent_run text,
    parent_ref text,
    head integer not null default 1,
    mail integer not null,
    seen integer not null default 0,
    mailed_at integer not null, -- when the oldest unseen mail came; only compared while mail > seen
    next_timer integer,
    owner text,
    fence integer not null default 0,
    claims integer not null default 0,
    parked text
);
create unique index runs_key on runs (workflow, idempotency_key) where idempotency_key is not null;
create index runs_newest on runs (created_at desc, run_id desc);
create index runs_owned on runs (owner) where owner is not null;
create index runs_mailed on runs (mailed_at)
    where owner is null and completed_at is null and parked is null and mail > seen;
create index runs_timed on runs (next_timer)
    where owner is null and completed_at is null and parked is null and next_timer is not null;

-- Append-only. A rowid table with an index on integers writes faster than one clustered by its key.
create table events (
    id integer primary key,
    run integer not null,
    seq integer not null,
    type text not null,
    at integer not null,
    ref text not null,
    name text not null,
    payload blob,
    meta blob
);
create unique index events_run_seq on events (run, seq);

create table letters (
    id integer primary key,
    run integer not null,
    n integer not null,
    kind text not null,
    ref text not null,
    name text not null,
    payload blob,
    meta blob,
    at integer not null,
    dedupe text
);
create unique index letters_run_n on letters (run, n);

-- Outlives the letters, so that a payload used long ago is still known.
create table letter_keys (
    run integer not null,
    dedupe text not null,
    in_time integer not null, -- was the run open when the letter came?
    primary key (run, dedupe)
) without rowid;

create table tasks (
    id integer primary key,
    run integer not null,
    step_id text not null,
    name text not null,
    payload blob not null,
    attempt integer not null,
    run_at integer not null,
    created_at integer not null,
    error blob,
    meta blob,
    owner text
);
create unique index tasks_run_step on tasks (run, step_id);
create index tasks_due on tasks (run_at) where owner is null;
create index tasks_owned on tasks (owner) where owner is not null;

create table hooks (
    id integer primary key,
    token text not null unique,
    run integer not null,
    hook_id text not null,
    created_at integer not null,
    webhook integer not null,
    metadata blob,
    meta blob
);
create index hooks_run on hooks (run);

create table streams (
    id integer primary key,
    run integer not null,
    name text not null,
    next integer not null,
    closed integer not null,
    unique (run, name)
);
create table chunks (
    id integer primary key,
    stream integer not null,
    i integer not null,
    step_id text not null,
    attempt integer not null,
    data blob not null
);
create unique index chunks_stream_i on chunks (stream, i);

create table workers (
    worker text primary key,
    lease_until integer not null,
    registry text not null
) without rowid;
create table bundles (
    bundle text primary key,
    source blob not null
);
create table secrets (
    name text primary key,
    value blob not null
);
