-- What a mirror knows. Only BIGINT, TEXT and BLOB (times are milliseconds since
-- 1970, flags 0 or 1, digests lower hex), so that one code path can speak to
-- another engine too. Big columns come last: SQLite reads a row from the left.

create table pages (
    mirror text not null,
    project text not null,
    etag text,
    last_modified text,
    fetched_at bigint not null,
    fresh_until bigint not null,
    body blob, -- null: upstream said it has no such project
    primary key (mirror, project)
);
create index pages_known on pages (mirror, project) where body is not null;

create table files (
    mirror text not null,
    path text not null,
    project text not null,
    filename text not null,
    digest text not null,
    size bigint not null,
    etag text not null,
    last_modified bigint,
    stored_at bigint not null,
    last_used bigint not null,
    pinned bigint not null,
    primary key (mirror, path)
);
create index files_by_project on files (project, mirror);
create index files_by_use on files (pinned, last_used);
create index files_by_digest on files (digest, size, pinned);

create table sidecars (
    mirror text not null,
    path text not null,
    kind text not null,
    digest text not null,
    size bigint not null,
    made bigint not null,
    saved_at bigint not null,
    primary key (mirror, path, kind)
);
create index sidecars_by_digest on sidecars (digest, size);
create index sidecars_by_age on sidecars (saved_at);

create table refused (
    mirror text not null,
    path text not null,
    url text not null,
    expected text not null,
    found text not null,
    refused_at bigint not null,
    primary key (mirror, path)
);

create table roots (
    mirror text not null,
    etag text,
    last_modified text,
    fetched_at bigint not null,
    fresh_until bigint not null,
    body blob not null,
    primary key (mirror)
);

-- Which wheels have been looked into for the metadata that upstream does not
-- offer, and what was found; kept when the metadata itself is evicted.
create table made_metadata (
    mirror text not null,
    project text not null,
    path text not null,
    digest text, -- null: the wheel has none
    primary key (mirror, project, path)
);
