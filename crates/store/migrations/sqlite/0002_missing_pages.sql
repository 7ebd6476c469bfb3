-- For forgetting what upstream did not have without reading the pages that it has.
create index pages_missing on pages (fresh_until) where body is null;
