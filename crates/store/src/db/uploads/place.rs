//! Where a file would come to lie, and what lies there.

use pyspec::Digest;
use sqlx::{AnyConnection, Row};

use crate::HostedRow;
use crate::db::parsed;

/// What the records say of a file's place before it comes.
pub(super) enum Place {
    /// There is no such index.
    NoIndex,
    Free,
    /// Taken by the same bytes.
    Same,
    /// Taken by other bytes, of this record.
    Other {
        path: String,
        digest: Digest,
    },
}

/// Whether a file's path or name is taken; asked in one go, since each question is a
/// way to the database's thread and back.
pub(super) async fn place(
    change: &mut AnyConnection,
    file: &HostedRow,
) -> Result<Place, sqlx::Error> {
    let (owner, index) = file.stage.split_once('/').unwrap_or((&file.stage, ""));
    let found = sqlx::query(
        "select 2 as rank, path, role, digest from hosted_files
             where stage = $1 and (path = $2 or (project = $3 and filename = $4 and role = $5))
         union all select 3, path, role, digest from hosted_files
             where stage = $1 and filename = $4 and role = $5 and role = 'releasefile'
         union all select 1, '', '', '' from indexes where owner = $6 and name = $7
         order by 1",
    )
    .bind(&file.stage)
    .bind(&file.path)
    .bind(file.project.as_str())
    .bind(file.filename.as_str())
    .bind(file.role.as_str())
    .bind(owner)
    .bind(index)
    .fetch_all(change)
    .await?;
    let taken = match found.as_slice() {
        [] => return Ok(Place::NoIndex),
        [first, ..] if first.try_get::<i64, _>("rank")? != 1 => return Ok(Place::NoIndex),
        [_] => return Ok(Place::Free),
        [_, taken, ..] => taken,
    };
    let digest: Digest = parsed(taken, "digest")?;
    let same_role = taken.try_get::<&str, _>("role")? == file.role.as_str();
    Ok(if digest == file.digest && same_role {
        Place::Same
    } else {
        let path = taken.try_get("path")?;
        Place::Other { path, digest }
    })
}
