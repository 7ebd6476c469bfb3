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

-- Sums over files and sidecars, each blob once. Adding up 100,000 rows takes some
-- 60 ms and the evictor asks often, so the triggers below keep them.
create table totals (
    only_row bigint not null primary key check (only_row = 1),
    files bigint not null,
    file_bytes bigint not null,
    pinned_bytes bigint not null,
    sidecars bigint not null,
    sidecar_bytes bigint not null
);
insert into totals (only_row, files, file_bytes, pinned_bytes, sidecars, sidecar_bytes) values (1, 0, 0, 0, 0, 0);

create trigger files_come after insert on files begin
    update totals set files = files + 1,
        file_bytes = file_bytes + new.size
            * (not exists (select 1 from files where digest = new.digest and rowid <> new.rowid)),
        pinned_bytes = pinned_bytes + new.size * new.pinned
            * (not exists (select 1 from files where digest = new.digest and pinned = 1 and rowid <> new.rowid));
end;

create trigger files_go after delete on files begin
    update totals set files = files - 1,
        file_bytes = file_bytes - old.size
            * (not exists (select 1 from files where digest = old.digest)),
        pinned_bytes = pinned_bytes - old.size * old.pinned
            * (not exists (select 1 from files where digest = old.digest and pinned = 1));
end;

create trigger files_change after update of digest, size, pinned on files begin
    update totals set
        file_bytes = file_bytes - old.size
            * (not exists (select 1 from files where digest = old.digest and rowid <> old.rowid))
            + new.size
            * (not exists (select 1 from files where digest = new.digest and rowid <> new.rowid)),
        pinned_bytes = pinned_bytes - old.size * old.pinned
            * (not exists (select 1 from files where digest = old.digest and pinned = 1 and rowid <> old.rowid))
            + new.size * new.pinned
            * (not exists (select 1 from files where digest = new.digest and pinned = 1 and rowid <> new.rowid));
end;

create trigger sidecars_come after insert on sidecars begin
    update totals set sidecars = sidecars + 1,
        sidecar_bytes = sidecar_bytes + new.size
            * (not exists (select 1 from sidecars where digest = new.digest and rowid <> new.rowid));
end;

create trigger sidecars_go after delete on sidecars begin
    update totals set sidecars = sidecars - 1,
        sidecar_bytes = sidecar_bytes - old.size
            * (not exists (select 1 from sidecars where digest = old.digest));
end;

create trigger sidecars_change after update of digest, size on sidecars begin
    update totals set
        sidecar_bytes = sidecar_bytes - old.size
            * (not exists (select 1 from sidecars where digest = old.digest and rowid <> old.rowid))
            + new.size
            * (not exists (select 1 from sidecars where digest = new.digest and rowid <> new.rowid));
end;
