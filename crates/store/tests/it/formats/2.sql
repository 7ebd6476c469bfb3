BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'start','2026-11-01 12:00:00',1,X'255D3BA92CD414C6C6195F2BCC425EE788AC0DD22BF88F52DAAC958F6A3F6399B0D901D6A8970DDBF3D308B51270F9D5',1000);
INSERT INTO "_sqlx_migrations" VALUES(2,'missing pages and upstreams','2026-11-01 12:00:00',1,X'8AC9BF6BA6F3BD0C59150A3FA0C3A805986B8B2CA9C889C4EEC15653E9F9E1C3AE365A8399D9094B4973CB6AECB2A096',1000);
CREATE TABLE files (
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
INSERT INTO "files" VALUES('root/pypi','flask-1.0.zip','flask','flask-1.0.zip','277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9',5,'"277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9"',1799999000000,1800000000000,1800000000000,1);
CREATE TABLE made_metadata (
    mirror text not null,
    project text not null,
    path text not null,
    digest text, -- null: the wheel has none
    primary key (mirror, project, path)
);
CREATE TABLE pages (
    mirror text not null,
    project text not null,
    etag text,
    last_modified text,
    fetched_at bigint not null,
    fresh_until bigint not null,
    body blob, -- null: upstream said it has no such project
    primary key (mirror, project)
);
INSERT INTO "pages" VALUES('root/pypi','flask','"1"',NULL,1800000000000,1800000600000,X'70616765');
CREATE TABLE refused (
    mirror text not null,
    path text not null,
    url text not null,
    expected text not null,
    found text not null,
    refused_at bigint not null,
    primary key (mirror, path)
);
CREATE TABLE roots (
    mirror text not null,
    etag text,
    last_modified text,
    fetched_at bigint not null,
    fresh_until bigint not null,
    body blob not null,
    primary key (mirror)
);
CREATE TABLE sidecars (
    mirror text not null,
    path text not null,
    kind text not null,
    digest text not null,
    size bigint not null,
    made bigint not null,
    saved_at bigint not null,
    primary key (mirror, path, kind)
);
INSERT INTO "sidecars" VALUES('root/pypi','flask-1.0.zip','metadata','804f78e272ba0198061a138335a85a84ae52f5ba25e29ab336b21b82d46bc20d',11,0,1800000000000);
CREATE TABLE totals (
    only_row bigint not null primary key check (only_row = 1),
    files bigint not null,
    file_bytes bigint not null,
    pinned_bytes bigint not null,
    sidecars bigint not null,
    sidecar_bytes bigint not null
);
INSERT INTO "totals" VALUES(1,1,5,5,1,11);
CREATE TABLE upstreams (
    mirror text not null primary key,
    upstream text not null
);
INSERT INTO "upstreams" VALUES('root/pypi','http://upstream.example/simple/');
CREATE INDEX pages_known on pages (mirror, project) where body is not null;
CREATE INDEX files_by_project on files (project, mirror);
CREATE INDEX files_by_use on files (pinned, last_used);
CREATE INDEX files_by_digest on files (digest, size, pinned);
CREATE INDEX sidecars_by_digest on sidecars (digest, size);
CREATE TRIGGER files_come after insert on files begin
    update totals set files = files + 1,
        file_bytes = file_bytes + new.size
            * (not exists (select 1 from files where digest = new.digest and rowid <> new.rowid)),
        pinned_bytes = pinned_bytes + new.size * new.pinned
            * (not exists (select 1 from files where digest = new.digest and pinned = 1 and rowid <> new.rowid));
end;
CREATE TRIGGER files_go after delete on files begin
    update totals set files = files - 1,
        file_bytes = file_bytes - old.size
            * (not exists (select 1 from files where digest = old.digest)),
        pinned_bytes = pinned_bytes - old.size * old.pinned
            * (not exists (select 1 from files where digest = old.digest and pinned = 1));
end;
CREATE TRIGGER files_change after update of digest, size, pinned on files begin
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
CREATE TRIGGER sidecars_come after insert on sidecars begin
    update totals set sidecars = sidecars + 1,
        sidecar_bytes = sidecar_bytes + new.size
            * (not exists (select 1 from sidecars where digest = new.digest and rowid <> new.rowid));
end;
CREATE TRIGGER sidecars_go after delete on sidecars begin
    update totals set sidecars = sidecars - 1,
        sidecar_bytes = sidecar_bytes - old.size
            * (not exists (select 1 from sidecars where digest = old.digest));
end;
CREATE TRIGGER sidecars_change after update of digest, size on sidecars begin
    update totals set
        sidecar_bytes = sidecar_bytes - old.size
            * (not exists (select 1 from sidecars where digest = old.digest and rowid <> old.rowid))
            + new.size
            * (not exists (select 1 from sidecars where digest = new.digest and rowid <> new.rowid));
end;
CREATE INDEX pages_missing on pages (fresh_until) where body is null;
COMMIT;
