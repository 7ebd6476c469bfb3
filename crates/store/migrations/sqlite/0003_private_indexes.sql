-- What people make here: users, indexes, releases, files, tokens, and what happened.
-- JSON is kept as text and not looked into.

create table users (
    name text not null primary key,
    password text, -- null: nobody can log in with one
    details text not null,
    created_at bigint not null,
    modified_at bigint
);

create table indexes (
    owner text not null,
    name text not null,
    settings text not null,
    created_at bigint not null,
    primary key (owner, name)
);

-- A stage is `owner/name`, as a mirror is.
create table releases (
    stage text not null,
    project text not null,
    version text not null,
    spelled text not null, -- the project's name as the uploader writes it
    created_at bigint not null,
    metadata text not null,
    primary key (stage, project, version)
);

create table hosted_files (
    stage text not null,
    path text not null,
    project text not null,
    version text not null,
    filename text not null,
    role text not null,
    for_path text, -- of a test result: the file that was tested
    digest text not null,
    size bigint not null,
    requires_python text,
    metadata_digest text,
    metadata_size bigint,
    provenance_digest text,
    provenance_size bigint,
    yanked text, -- null: not yanked; empty: without a reason
    uploaded_at bigint not null,
    log text not null,
    primary key (stage, path)
);
create unique index hosted_release_files on hosted_files (stage, filename) where role = 'releasefile';
create index hosted_by_release on hosted_files (stage, project, version);
create index hosted_by_digest on hosted_files (digest);
create index hosted_by_metadata on hosted_files (metadata_digest) where metadata_digest is not null;
create index hosted_by_provenance on hosted_files (provenance_digest) where provenance_digest is not null;

-- Sums over hosted files and what stands beside them, each record by itself: a blob
-- that two indexes name counts for both. A record never changes its size.
create table hosted_totals (
    stage text not null primary key,
    files bigint not null,
    bytes bigint not null
);

create trigger hosted_files_come after insert on hosted_files begin
    insert into hosted_totals (stage, files, bytes)
        values (new.stage, 1, new.size + coalesce(new.metadata_size, 0) + coalesce(new.provenance_size, 0))
        on conflict (stage) do update set files = files + 1, bytes = bytes + excluded.bytes;
end;

create trigger hosted_files_go after delete on hosted_files begin
    update hosted_totals set files = files - 1,
        bytes = bytes - old.size - coalesce(old.metadata_size, 0) - coalesce(old.provenance_size, 0)
        where stage = old.stage;
end;

create table tokens (
    id text not null primary key,
    owner text not null,
    kind text not null,
    name text not null,
    secret text not null unique, -- the SHA-256 of the whole token
    scope text not null,
    created_at bigint not null,
    expires_at bigint,
    last_used bigint
);
create index tokens_by_owner on tokens (owner, kind);

-- A serial is never given twice, also when the last events were pruned.
create table events (
    serial integer not null primary key autoincrement,
    at bigint not null,
    who text,
    what text not null,
    stage text,
    project text,
    version text,
    file text,
    detail text not null
);

-- Who is told of events, and up to which one that was seen to.
create table hooks (
    url text not null primary key,
    seen bigint not null
);

-- Events on their way to a URL.
create table deliveries (
    id integer not null primary key autoincrement,
    event bigint not null,
    url text not null,
    attempts bigint not null,
    next_at bigint not null,
    last_error text
);
create index deliveries_by_time on deliveries (next_at);
create index deliveries_by_event on deliveries (event);
