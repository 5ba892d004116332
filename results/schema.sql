-- The store: one file a run. Instants are CLOCK_MONOTONIC nanoseconds of the measuring machine unless the
-- name says utc; a missing instant is NULL, never 0.

CREATE TABLE run (
    id            TEXT PRIMARY KEY,
    created_utc   TEXT NOT NULL,
    finished_utc  TEXT,               -- NULL while trials are missing
    suite         TEXT NOT NULL,
    suite_toml    TEXT NOT NULL,      -- the suite file, letter for letter
    seed          INTEGER NOT NULL,
    blocks        INTEGER NOT NULL,   -- planned so far, without those that confirm
    warmup_s      REAL NOT NULL,
    window_s      REAL NOT NULL,
    version       TEXT NOT NULL,      -- of streamgauge
    command       TEXT NOT NULL,      -- JSON list: the words of the command line
    stopping      TEXT NOT NULL,      -- blocks: a fixed number; decided: at one of several looks; budget
    budget_s      REAL,
    fail_on       TEXT NOT NULL       -- of an ab. gates: those with a margin; worse: all headline figures
) STRICT;

CREATE TABLE environment (
    name   TEXT PRIMARY KEY,
    value  TEXT NOT NULL              -- JSON
) STRICT;

CREATE TABLE "case" (
    identity        TEXT PRIMARY KEY,
    parameters      TEXT NOT NULL,    -- JSON
    baseline        TEXT,             -- identity of the whole form
    expect_failure  INTEGER NOT NULL
) STRICT;

-- The two revisions of an ab; no rows in a run.
CREATE TABLE side (
    side        TEXT PRIMARY KEY,     -- base, head
    revision    TEXT NOT NULL,        -- as it was asked for
    "commit"    TEXT NOT NULL,
    repository  TEXT NOT NULL         -- its folder on the measuring machine
) STRICT;

-- By what an ab is gated: head against base, no worse by more than the margin.
CREATE TABLE margin_gate (
    name    TEXT NOT NULL,
    "case"  TEXT NOT NULL REFERENCES "case",
    metric  TEXT NOT NULL,            -- ttfb_p50
    share   REAL NOT NULL,            -- of base
    least   REAL NOT NULL             -- in the figure's unit: the margin is the larger one of both
) STRICT;

-- What a suite's prepare wrote before anything was measured.
CREATE TABLE preparation (
    side       TEXT REFERENCES side,  -- NULL in a run
    directory  TEXT NOT NULL,
    command    TEXT NOT NULL,         -- JSON list
    output     TEXT NOT NULL          -- the end of it
) STRICT;

-- What verify learned before anything was timed.
CREATE TABLE verification (
    "case"              TEXT NOT NULL REFERENCES "case",
    side                TEXT REFERENCES side,
    status              INTEGER,
    body_bytes          INTEGER NOT NULL,
    digest              TEXT NOT NULL,     -- xxh3_64
    framing             TEXT NOT NULL,     -- chunked, length, close
    chunks              INTEGER,
    first_chunk_bytes   INTEGER,
    median_chunk_bytes  INTEGER,
    failure             TEXT,
    prefix_bytes        INTEGER,           -- so much is read before a client hangs up; NULL where nobody does
    prefix_digest       TEXT,              -- its xxh3_64
    others_status       INTEGER,           -- of the small response that others ask beside it; NULL without
    others_body_bytes   INTEGER,
    others_digest       TEXT
) STRICT;

CREATE UNIQUE INDEX verification_case ON verification ("case", coalesce(side, ''));

-- The client's own error of TTFB on this machine, taken before the first trial.
CREATE TABLE calibration (
    worker              INTEGER NOT NULL,  -- the load process, each on its own machine; 0 where there is one only
    users               INTEGER NOT NULL,
    answers             TEXT NOT NULL,     -- once, on (the reference server keeps on sending)
    requests            INTEGER NOT NULL,
    stamped             INTEGER NOT NULL,  -- 1: by the kernel; 0: by the event loop
    error_p50_ns        REAL NOT NULL,     -- of the first body byte's instant against the server's truth
    error_p95_ns        REAL NOT NULL,
    error_p99_ns        REAL NOT NULL,
    error_max_ns        REAL NOT NULL,
    loop_error_p50_ns   REAL NOT NULL,     -- what the event loop's own clock would have been off by
    loop_error_p95_ns   REAL NOT NULL,
    lag_p99_ns          REAL,              -- of client_lag_ns; NULL: no kernel stamps
    stamp_error_p99_ns  REAL,              -- of stamp_error_ns; NULL: no kernel stamps
    client_cpu          REAL NOT NULL,     -- share of its core that the load driver used
    PRIMARY KEY (worker, users, answers)
) STRICT, WITHOUT ROWID;

-- The load processes of a run that has several, here or on other machines; no rows where there is one only.
CREATE TABLE worker (
    worker      INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,        -- of its machine, and its number there: load-1/0
    host        TEXT NOT NULL,
    version     TEXT NOT NULL,        -- of streamgauge
    system      TEXT NOT NULL,
    cpu         TEXT NOT NULL,
    core        INTEGER,              -- that it is pinned to
    joined_utc  TEXT NOT NULL
) STRICT;

-- The order of what is planned so far. A block's order and the schedules of an open loop in it are drawn from
-- run.seed and the block's number.
CREATE TABLE slot (
    position    INTEGER PRIMARY KEY,
    block       INTEGER NOT NULL,
    "case"      TEXT NOT NULL REFERENCES "case",
    control     INTEGER NOT NULL,     -- 1: the second measurement of a baseline (A/A)
    side        TEXT REFERENCES side, -- NULL in a run
    confirming  INTEGER NOT NULL      -- 1: of the second, independent set of blocks, which confirms a worse
) STRICT;

CREATE TABLE trial (
    position              INTEGER PRIMARY KEY REFERENCES slot,
    started_utc           TEXT NOT NULL,
    started_ns            INTEGER NOT NULL,
    finished_ns           INTEGER NOT NULL,
    reason                TEXT,       -- why the trial is not valid; NULL when it is
    fault                 TEXT,       -- the same by name, the worst of it: server-died
    window_open_ns        INTEGER,
    window_close_ns       INTEGER,
    drained_ns            INTEGER,
    client_cpu_ns         INTEGER,
    client_wall_ns        INTEGER,
    clock_drift_ns        INTEGER,    -- of the wall clock against the monotonic one; NULL: stamped by the loop
    clock_span_ns         INTEGER,
    client_scheduling     TEXT,       -- the load driver's policy: SCHED_FIFO where the system allows it
    errors                TEXT,       -- JSON: failure text -> count
    ran_as                TEXT,       -- what the server said of itself (gunicorn: its worker class)
    server_cpu_ns         INTEGER,
    machine_steal         REAL,       -- share of CPU time, 0 to 1
    machine_throttled_ns  INTEGER,
    memory_method         TEXT,
    pss_method            TEXT,
    cpu_method            TEXT,
    server_output         TEXT NOT NULL
) STRICT;

-- What each of several load processes did in a trial; no rows where there is one only.
CREATE TABLE trial_worker (
    position           INTEGER NOT NULL REFERENCES trial,
    worker             INTEGER NOT NULL REFERENCES worker,
    requests           INTEGER NOT NULL,  -- of its own, without those of others beside the streams
    client_cpu_ns      INTEGER NOT NULL,
    client_wall_ns     INTEGER NOT NULL,
    clock_drift_ns     INTEGER,
    clock_span_ns      INTEGER,
    client_scheduling  TEXT NOT NULL,
    offset_ns          INTEGER,           -- its CLOCK_MONOTONIC minus the harness's: taken off all its instants
    offset_bound_ns    INTEGER,           -- by so much that may be off; 0: one clock
    machine_steal         REAL,           -- as in trial, of its core and its machine
    machine_throttled_ns  INTEGER,
    PRIMARY KEY (position, worker)
) STRICT, WITHOUT ROWID;

CREATE TABLE figure (
    position    INTEGER NOT NULL REFERENCES trial,
    name        TEXT NOT NULL,        -- ttfb_p50
    definition  TEXT NOT NULL,        -- ttfb.body.v1
    unit        TEXT NOT NULL,
    value       REAL,                 -- NULL: this trial cannot give it
    PRIMARY KEY (position, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE process (
    position            INTEGER NOT NULL REFERENCES trial,
    pid                 INTEGER NOT NULL,
    role                TEXT NOT NULL,     -- master, worker
    rss_at_reset_bytes  INTEGER NOT NULL,
    hwm_bytes           INTEGER,
    rss_at_end_bytes    INTEGER NOT NULL,
    sampled_peak_bytes  INTEGER NOT NULL,
    rss_settled_bytes   INTEGER,           -- a settle time after the end of the drain
    pss_at_reset_bytes  INTEGER,           -- NULL: cannot be read
    pss_at_end_bytes    INTEGER,
    PRIMARY KEY (position, pid)
) STRICT, WITHOUT ROWID;

CREATE TABLE memory_sample (
    position   INTEGER NOT NULL REFERENCES trial,
    pid        INTEGER NOT NULL,
    at_ns      INTEGER NOT NULL,
    rss_bytes  INTEGER NOT NULL,
    PRIMARY KEY (position, pid, at_ns)
) STRICT, WITHOUT ROWID;

-- The sum of PSS over the server tree: before the load, in the warm-up, after the drain; never in the window.
CREATE TABLE pss_sample (
    position   INTEGER NOT NULL REFERENCES trial,
    at_ns      INTEGER NOT NULL,
    took_ns    INTEGER NOT NULL,      -- what the reading cost
    pss_bytes  INTEGER NOT NULL,
    PRIMARY KEY (position, at_ns)
) STRICT, WITHOUT ROWID;

-- The least memory of the server tree in each of the equal parts of a soak's window.
CREATE TABLE memory_floor (
    position     INTEGER NOT NULL REFERENCES trial,
    part         INTEGER NOT NULL,
    middle_ns    INTEGER NOT NULL,
    responses    INTEGER NOT NULL,  -- verified from the window's begin to the part's middle
    floor_bytes  INTEGER NOT NULL,  -- the sum of each process's least sampled RSS in the part
    PRIMARY KEY (position, part)
) STRICT, WITHOUT ROWID;

-- Packets that the queues in front of the case's line dropped, from before the warm-up until after the drain. No row:
-- the trial had no line, one without a queue, or no load.
CREATE TABLE line_drop (
    position   INTEGER PRIMARY KEY REFERENCES trial,
    to_load    INTEGER NOT NULL,
    to_server  INTEGER NOT NULL
) STRICT;

-- The small request after each hang-up, on a connection of its own.
CREATE TABLE follow_up (
    position     INTEGER NOT NULL REFERENCES trial,
    left_ns      INTEGER NOT NULL,  -- when the client hung up
    answered_ns  INTEGER,           -- when the small request was answered; NULL: not in time
    worker       INTEGER NOT NULL   -- as in request
) STRICT;

CREATE INDEX follow_up_position ON follow_up (position, left_ns, answered_ns);

CREATE TABLE request (
    position         INTEGER NOT NULL REFERENCES trial,
    worker           INTEGER NOT NULL, -- the load process that made it; 0 where there is one only
    user             INTEGER NOT NULL, -- in an open loop: which of the client's connections
    connection       INTEGER,         -- the client's TCP port; NULL: it never connected
    intended_ns      INTEGER,         -- when the schedule wanted it sent; NULL in a closed loop
    late_ns          INTEGER,         -- so much after that instant the client began with it
    connected_ns     INTEGER,         -- NULL: the connection was used before
    sent_ns          INTEGER,
    headers_ns       INTEGER,
    first_body_ns    INTEGER,
    first_row_ns     INTEGER,
    last_ns          INTEGER,
    stall_max_ns     INTEGER,
    client_lag_ns    INTEGER,         -- read of the first body byte - its kernel stamp; NULL: no kernel stamp
    stamp_error_ns   INTEGER,         -- at most so much too late is that stamp
    status           INTEGER,
    body_bytes       INTEGER NOT NULL,
    bytes_at_open    INTEGER NOT NULL,
    bytes_at_close   INTEGER NOT NULL,
    reads            INTEGER NOT NULL,
    close_delimited  INTEGER NOT NULL,
    outcome          TEXT NOT NULL    -- verified, hung-up (last_ns is that instant), or how it failed
) STRICT;

-- With the outcome, so that counting them reads no requests.
CREATE INDEX request_position ON request (position, outcome);

-- The small requests that others asked beside the streams, in an open loop of their own. No row: nobody did.
CREATE TABLE others (
    position          INTEGER PRIMARY KEY REFERENCES trial,
    begin_ns          INTEGER NOT NULL,  -- alone from here on,
    streams_begin_ns  INTEGER NOT NULL,  -- until here
    patience_ns       INTEGER NOT NULL,  -- without an answer for so long, one is given up
    errors            TEXT NOT NULL      -- JSON: failure text -> count
) STRICT;

-- Each of them, with the columns of request.
CREATE TABLE other_request (
    position         INTEGER NOT NULL REFERENCES trial,
    worker           INTEGER NOT NULL,
    user             INTEGER NOT NULL,
    connection       INTEGER,
    intended_ns      INTEGER,
    late_ns          INTEGER,
    connected_ns     INTEGER,
    sent_ns          INTEGER,
    headers_ns       INTEGER,
    first_body_ns    INTEGER,
    first_row_ns     INTEGER,
    last_ns          INTEGER,
    stall_max_ns     INTEGER,
    client_lag_ns    INTEGER,
    stamp_error_ns   INTEGER,
    status           INTEGER,
    body_bytes       INTEGER NOT NULL,
    bytes_at_open    INTEGER NOT NULL,
    bytes_at_close   INTEGER NOT NULL,
    reads            INTEGER NOT NULL,
    close_delimited  INTEGER NOT NULL,
    outcome          TEXT NOT NULL
) STRICT;

CREATE INDEX other_request_position ON other_request (position);

-- Traced trials: one more trial for each timed case, with the ledger inside the server. No figure of the
-- tables above comes from them.
CREATE TABLE trace (
    trace        INTEGER PRIMARY KEY,
    "case"       TEXT NOT NULL UNIQUE REFERENCES "case",
    started_utc  TEXT NOT NULL,
    reason       TEXT,                -- why it failed; NULL when it did not
    note         TEXT,                -- what its figures cannot show
    waterfall    INTEGER,             -- the request whose points are kept: the one with the median ttlb
    yields_kept  INTEGER,             -- points in traced_yield: fewer than its yields when they were thinned
    reads_kept   INTEGER
) STRICT;

CREATE TABLE traced_request (
    trace                INTEGER NOT NULL REFERENCES trace,
    number               INTEGER NOT NULL,     -- 0: the warm-up
    sent_ns              INTEGER NOT NULL,
    first_body_ns        INTEGER,
    first_row_ns         INTEGER,
    last_ns              INTEGER NOT NULL,
    body_bytes           INTEGER NOT NULL,
    reads                INTEGER NOT NULL,     -- that brought bytes of the body
    pid                  INTEGER NOT NULL,
    began_ns             INTEGER NOT NULL,     -- the app was called
    ended_ns             INTEGER,              -- its iteration ended
    closed_ns            INTEGER,              -- the server called close()
    ending               TEXT NOT NULL,        -- exhausted, raised, abandoned
    yields               INTEGER NOT NULL,
    yielded_bytes        INTEGER NOT NULL,
    memory_growth_bytes  INTEGER,              -- NULL: another request was in flight
    peak_missed_bytes    INTEGER,
    PRIMARY KEY (trace, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE traced_figure (
    trace       INTEGER NOT NULL REFERENCES trace,
    name        TEXT NOT NULL,        -- delivery_lag_p50
    definition  TEXT NOT NULL,        -- delivery_lag.yield.v1
    unit        TEXT NOT NULL,
    value       REAL,                 -- NULL: this trial cannot give it
    PRIMARY KEY (trace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE traced_yield (
    trace     INTEGER NOT NULL REFERENCES trace,
    number    INTEGER NOT NULL,       -- of the yield in its request; thinned evenly beyond 20,000
    after_ns  INTEGER NOT NULL,       -- since the request was sent
    bytes     INTEGER NOT NULL,       -- yielded so far, this one counted in
    PRIMARY KEY (trace, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE traced_read (
    trace     INTEGER NOT NULL REFERENCES trace,
    number    INTEGER NOT NULL,
    after_ns  INTEGER NOT NULL,       -- arrival, since the request was sent
    bytes     INTEGER NOT NULL,       -- of the body that have arrived so far
    error_ns  INTEGER,                -- at most so much earlier they may have arrived; NULL: no kernel stamp
    PRIMARY KEY (trace, number)
) STRICT, WITHOUT ROWID;
