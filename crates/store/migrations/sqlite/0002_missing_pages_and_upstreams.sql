-- For forgetting what upstream did not have without reading the pages that it has.
create index pages_missing on pages (fresh_until) where body is null;
-- Which upstream a mirror's pages come from: another one's pages are not to be believed.
create table upstreams (
    mirror text not null primary key,
    upstream text not null
);
