-- The first tables, as they were when the history of the schema began. Never edited: a change is a new revision.

CREATE TABLE access_grant (
    patient BIGINT NOT NULL,
    principal BIGINT NOT NULL,
    purpose SMALLINT NOT NULL,
    mask BIGINT NOT NULL,
    write_mask BIGINT NOT NULL,
    author BIGINT DEFAULT '0' NOT NULL,
    service BIGINT DEFAULT '0' NOT NULL,
    addressee BIGINT DEFAULT '0' NOT NULL,
    rule SMALLINT NOT NULL,
    relation SMALLINT NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE NOT NULL
);

CREATE INDEX access_grant_by_principal ON access_grant (principal, purpose, patient);

CREATE INDEX access_grant_find ON access_grant (patient, principal, purpose);

CREATE TABLE access_session (
    session BIGINT NOT NULL,
    principals BIGINT[] NOT NULL,
    purpose SMALLINT NOT NULL,
    only_patient BIGINT,
    account BIGINT,
    client BIGINT,
    practitioner BIGINT,
    role BIGINT,
    organization BIGINT,
    role_code TEXT NOT NULL,
    kinds SMALLINT[],
    scope TEXT DEFAULT '' NOT NULL,
    family BIGINT,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (session)
);

CREATE INDEX access_session_by_account ON access_session (account) WHERE ended_at IS NULL;

CREATE INDEX access_session_by_client ON access_session (client) WHERE ended_at IS NULL;

CREATE INDEX access_session_by_family ON access_session (family) WHERE family IS NOT NULL;

CREATE TABLE account (
    account BIGINT NOT NULL,
    username TEXT NOT NULL,
    password TEXT,
    pin TEXT,
    fhir_kind SMALLINT NOT NULL,
    fhir_patient BIGINT DEFAULT '0' NOT NULL,
    fhir_res BIGINT NOT NULL,
    active BOOLEAN DEFAULT 'true' NOT NULL,
    failures INTEGER DEFAULT '0' NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    not_before TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (account),
    UNIQUE (username)
);

CREATE TABLE assertion_seen (
    client BIGINT NOT NULL,
    jti BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (client, jti)
);

CREATE TABLE audit_mandate (
    organization BIGINT NOT NULL,
    convention TEXT NOT NULL,
    given_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (organization)
);

CREATE TABLE authorization_code (
    code BYTEA NOT NULL,
    request JSONB NOT NULL,
    family BIGINT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (code)
);

CREATE TABLE browser_session (
    token BYTEA NOT NULL,
    account BIGINT NOT NULL,
    session BIGINT,
    csrf BYTEA NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (token)
);

CREATE INDEX browser_session_by_account ON browser_session (account);

CREATE TABLE client (
    client BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    jwks JSONB,
    algorithm TEXT,
    redirect_uris JSONB DEFAULT '[]' NOT NULL,
    scope TEXT NOT NULL,
    organization BIGINT DEFAULT '0' NOT NULL,
    role_code TEXT,
    purpose SMALLINT,
    active BOOLEAN DEFAULT 'true' NOT NULL,
    PRIMARY KEY (client),
    UNIQUE (client_id)
);

CREATE TABLE directory_index_date (
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    param SMALLINT NOT NULL,
    low TIMESTAMP WITH TIME ZONE NOT NULL,
    high TIMESTAMP WITH TIME ZONE NOT NULL,
    res BIGINT NOT NULL,
    version INTEGER NOT NULL
);

CREATE INDEX directory_index_date_find ON directory_index_date (patient, kind, param, low, res);

CREATE INDEX directory_index_date_of ON directory_index_date (patient, kind, res, version, param) INCLUDE (low, high);

CREATE TABLE directory_index_token (
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    param SMALLINT NOT NULL,
    token BIGINT NOT NULL,
    res BIGINT NOT NULL,
    version INTEGER NOT NULL,
    clinical TIMESTAMP WITH TIME ZONE DEFAULT '-infinity' NOT NULL
);

CREATE INDEX directory_index_token_find ON directory_index_token (patient, kind, param, token, clinical DESC, res, version);

CREATE TABLE directory_version (
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    res BIGINT NOT NULL,
    version INTEGER NOT NULL,
    created xid8 DEFAULT pg_current_xact_id() NOT NULL,
    superseded xid8,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    clinical TIMESTAMP WITH TIME ZONE DEFAULT '-infinity' NOT NULL,
    deleted BOOLEAN DEFAULT 'false' NOT NULL,
    classes BIGINT NOT NULL,
    author BIGINT DEFAULT '0' NOT NULL,
    service BIGINT DEFAULT '0' NOT NULL,
    addressee BIGINT DEFAULT '0' NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (patient, kind, res, version)
);

CREATE INDEX directory_version_by_update ON directory_version (kind, at DESC, res);

CREATE UNIQUE INDEX directory_version_current ON directory_version (patient, kind, res) WHERE superseded is null;

CREATE INDEX directory_version_later ON directory_version (at) WHERE version > 1;

CREATE TABLE first_access (
    token BYTEA NOT NULL,
    account BIGINT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (token)
);

CREATE TABLE held_role (
    role BIGINT NOT NULL,
    practitioner BIGINT NOT NULL,
    organization BIGINT DEFAULT '0' NOT NULL,
    role_code TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    acts_for BIGINT DEFAULT '0' NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (role, role_code)
);

CREATE INDEX held_role_by_acts_for ON held_role (acts_for) WHERE acts_for != 0;

CREATE INDEX held_role_by_organization ON held_role (organization);

CREATE INDEX held_role_by_practitioner ON held_role (practitioner);

CREATE TABLE identity_attempt (
    asker BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    found BOOLEAN NOT NULL
);

CREATE INDEX identity_attempt_by_asker ON identity_attempt (asker, at);

CREATE TABLE identity_lock (
    token BYTEA NOT NULL,
    PRIMARY KEY (token)
);

CREATE TABLE identity_token (
    space SMALLINT NOT NULL,
    token BYTEA NOT NULL,
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    res BIGINT NOT NULL,
    PRIMARY KEY (space, token, patient, kind, res)
);

CREATE INDEX identity_token_by_resource ON identity_token (patient, kind, res);

CREATE TABLE import_ledger (
    source_key BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    res BIGINT NOT NULL,
    PRIMARY KEY (source_key)
);

CREATE TABLE index_date (
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    param SMALLINT NOT NULL,
    low TIMESTAMP WITH TIME ZONE NOT NULL,
    high TIMESTAMP WITH TIME ZONE NOT NULL,
    res BIGINT NOT NULL,
    version INTEGER NOT NULL
);

CREATE INDEX index_date_find ON index_date (patient, kind, param, low, res);

CREATE INDEX index_date_of ON index_date (patient, kind, res, version, param) INCLUDE (low, high);

CREATE TABLE index_token (
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    param SMALLINT NOT NULL,
    token BIGINT NOT NULL,
    res BIGINT NOT NULL,
    version INTEGER NOT NULL,
    clinical TIMESTAMP WITH TIME ZONE DEFAULT '-infinity' NOT NULL
);

CREATE INDEX index_token_find ON index_token (patient, kind, param, token, clinical DESC, res, version);

CREATE TABLE installation (
    installation SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (installation)
);

CREATE TABLE journal_checkpoint (
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (size)
);

CREATE TABLE journal_entry (
    generation INTEGER NOT NULL,
    worker BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    previous BYTEA NOT NULL,
    event SMALLINT NOT NULL,
    outcome SMALLINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    patient BIGINT NOT NULL,
    person BIGINT NOT NULL,
    organization BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    written xid8 DEFAULT pg_current_xact_id() NOT NULL,
    PRIMARY KEY (worker, sequence)
);

CREATE INDEX journal_entry_by_patient ON journal_entry (patient, at) WHERE patient != 0;

CREATE INDEX journal_entry_by_person ON journal_entry (person, at);

CREATE INDEX journal_entry_by_time ON journal_entry USING brin (at);

CREATE INDEX journal_entry_by_transaction ON journal_entry (written);

CREATE TABLE journal_head (
    head SMALLINT NOT NULL,
    fence BIGINT NOT NULL,
    size BIGINT NOT NULL,
    settled xid8 NOT NULL,
    PRIMARY KEY (head)
);

CREATE TABLE journal_key (
    purpose TEXT NOT NULL,
    generation INTEGER NOT NULL,
    sealed BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (purpose, generation)
);

CREATE TABLE journal_position (
    position BIGINT NOT NULL,
    worker BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (position),
    UNIQUE (worker, sequence)
);

CREATE TABLE journal_tile (
    level SMALLINT NOT NULL,
    tile BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, tile)
);

CREATE TABLE organization_part (
    organization BIGINT NOT NULL,
    part_of BIGINT NOT NULL,
    psychiatric BOOLEAN DEFAULT 'false' NOT NULL,
    PRIMARY KEY (organization)
);

CREATE INDEX organization_part_by_whole ON organization_part (part_of);

CREATE TABLE patient (
    patient BIGINT NOT NULL,
    shelf INTEGER NOT NULL,
    wrapped BYTEA,
    state SMALLINT DEFAULT '0' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (patient)
);

CREATE TABLE phone (
    phone BIGINT NOT NULL,
    token BYTEA NOT NULL,
    organization BIGINT NOT NULL,
    label TEXT NOT NULL,
    active BOOLEAN DEFAULT 'true' NOT NULL,
    enrolled_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (phone),
    UNIQUE (token)
);

CREATE TABLE refresh_token (
    token BYTEA NOT NULL,
    family BIGINT NOT NULL,
    request JSONB NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (token)
);

CREATE INDEX refresh_token_by_family ON refresh_token (family);

CREATE TABLE relation (
    patient BIGINT NOT NULL,
    principal BIGINT NOT NULL,
    relation SMALLINT NOT NULL,
    source_kind SMALLINT NOT NULL,
    source_res BIGINT NOT NULL,
    ordinal SMALLINT NOT NULL,
    organization BIGINT DEFAULT '0' NOT NULL,
    detail JSONB,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient, principal, relation, source_kind, source_res, ordinal)
);

CREATE INDEX relation_by_principal ON relation (principal);

CREATE TABLE search_list (
    list BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (list)
);

CREATE TABLE shelf (
    shelf SERIAL NOT NULL,
    month TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (shelf)
);

CREATE TABLE signing_key (
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public JSONB NOT NULL,
    sealed BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (kid)
);

CREATE TABLE territory_key (
    purpose TEXT NOT NULL,
    generation INTEGER NOT NULL,
    shelf INTEGER NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (purpose, generation)
);

CREATE TABLE version (
    patient BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    res BIGINT NOT NULL,
    version INTEGER NOT NULL,
    created xid8 DEFAULT pg_current_xact_id() NOT NULL,
    superseded xid8,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    clinical TIMESTAMP WITH TIME ZONE DEFAULT '-infinity' NOT NULL,
    deleted BOOLEAN DEFAULT 'false' NOT NULL,
    classes BIGINT NOT NULL,
    author BIGINT DEFAULT '0' NOT NULL,
    service BIGINT DEFAULT '0' NOT NULL,
    addressee BIGINT DEFAULT '0' NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (patient, kind, res, version)
);

CREATE INDEX version_by_time ON version (patient, kind, clinical DESC, res);

CREATE INDEX version_by_update ON version (patient, kind, at DESC, res);

CREATE UNIQUE INDEX version_current ON version (patient, kind, res) WHERE superseded is null;

CREATE INDEX version_later ON version (at) WHERE version > 1;
