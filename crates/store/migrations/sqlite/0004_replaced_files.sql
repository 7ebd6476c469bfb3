-- Kept files whose place upstream has given to other bytes: not served any more, kept
-- until those others are here, or until upstream means these again.
create table replaced (
    mirror text not null,
    path text not null,
    primary key (mirror, path)
);

create trigger replaced_goes_with_its_file after delete on files begin
    delete from replaced where mirror = old.mirror and path = old.path;
end;

create trigger replaced_ends_with_other_bytes after update of digest on files when new.digest <> old.digest begin
    delete from replaced where mirror = new.mirror and path = new.path;
end;
