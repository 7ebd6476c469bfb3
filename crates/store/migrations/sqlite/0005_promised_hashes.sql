-- The hashes that the page stated when the file was fetched, as `kind=hex` with spaces between
-- them: what a later page is held against where it states no SHA-256.
alter table files add column promised text not null default '';
