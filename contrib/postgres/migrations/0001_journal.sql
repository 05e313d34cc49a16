-- One row per rotation. A client has at most one that is under way; those that ended stay as its history, and may be deleted.
CREATE TABLE stytch_rotation (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project     text        COLLATE "C" NOT NULL,
    client_id   text        COLLATE "C" NOT NULL,
    rotation_id text        COLLATE "C" NOT NULL DEFAULT '',
    state       text        NOT NULL CHECK (state IN ('claimed', 'planned', 'starting', 'started', 'delivered', 'verified',
                                'grace', 'completing', 'completed', 'cancelled', 'needs-human')),
    record      bytea       NOT NULL DEFAULT '', -- the truth, with the secrets encrypted; the other columns are for queries
    epoch       bigint      NOT NULL DEFAULT 0,  -- how often the row was claimed: what a write must know
    owner       text        NOT NULL DEFAULT '', -- host, process and claim; '' if it was released
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    due_at      timestamptz,                     -- when there is something to do; null if nothing is
    finished    bigint,                          -- 1 for the first rotation of the client that ended, 2 for the second
    planned_at  timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One active rotation per client. State 'claimed' is a client whose claim began before a rotation did.
CREATE UNIQUE INDEX stytch_rotation_active ON stytch_rotation (project, client_id)
    WHERE state NOT IN ('completed', 'cancelled');

-- What Next looks for.
CREATE INDEX stytch_rotation_due ON stytch_rotation (project, due_at) WHERE due_at IS NOT NULL;

-- The latest rotation of a client: the active one if there is one, for nulls come last, and else the last that ended.
CREATE INDEX stytch_rotation_latest ON stytch_rotation (project, client_id, finished);

-- Request rates that all workers share.
CREATE TABLE stytch_rotation_bucket (
    project   text             COLLATE "C" NOT NULL,
    name      text             COLLATE "C" NOT NULL,
    tokens    double precision NOT NULL,
    filled_at timestamptz      NOT NULL, -- what tokens is true of; in the future during a pause
    share     double precision NOT NULL, -- of the rate, since it was last slowed down; it grows again
    slowed_at timestamptz      NOT NULL, -- since when it grows
    PRIMARY KEY (project, name)
);
