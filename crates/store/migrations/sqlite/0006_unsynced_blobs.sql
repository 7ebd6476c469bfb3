-- Small blobs whose files the disk may not have yet. The bytes wait here, in the change that
-- names them, until the files are synced; a server that starts writes them again.
create table unsynced (
    id integer not null primary key autoincrement,
    digest text not null,
    bytes blob not null
);
