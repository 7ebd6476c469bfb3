//! Writing an upload down: all of its rows in one go.
//!
//! Several statements are one message to the database's thread: each message costs a
//! wake-up there and one here, which is more than the writing itself.

use sqlx::query_builder::Separated;
use sqlx::{Any, AnyConnection, QueryBuilder};

use super::Upload;
use crate::Unsynced;
use crate::db::events;
use crate::db::hosted::{Beside, HostedRow, ReleaseRow};

impl Upload {
    /// Describes the release, adds the files, keeps the bytes of unsynced blobs, and tells of it.
    pub(super) async fn write(
        &self,
        change: &mut AnyConnection,
        files: &[&HostedRow],
    ) -> Result<(), sqlx::Error> {
        let mut sql = QueryBuilder::new("");
        if let Some(release) = &self.release {
            describe(&mut sql, release);
        }
        for file in files {
            insert(&mut sql, file);
        }
        for blob in &self.unsynced {
            keep(&mut sql, blob);
        }
        events::push(&mut sql, &self.event);
        sql.build().execute(change).await.map(drop)
    }
}

fn describe(sql: &mut QueryBuilder<Any>, release: &ReleaseRow) {
    sql.push(
        "insert into releases (stage, project, version, spelled, created_at, metadata) values (",
    );
    let mut values = sql.separated(", ");
    values.push_bind(release.stage.clone());
    values.push_bind(release.project.as_str().to_owned());
    values.push_bind(release.version.clone());
    values.push_bind(release.spelled.clone());
    values.push_bind(release.created_at.as_millisecond());
    values.push_bind(release.metadata.clone());
    sql.push(
        ") on conflict (stage, project, version) do update set spelled = excluded.spelled,
             metadata = excluded.metadata;\n",
    );
}

fn insert(sql: &mut QueryBuilder<Any>, file: &HostedRow) {
    sql.push(
        "insert into hosted_files (stage, path, project, version, filename, role, for_path, digest, size,
             requires_python, metadata_digest, metadata_size, provenance_digest, provenance_size, yanked,
             uploaded_at, log) values (",
    );
    let mut values = sql.separated(", ");
    values.push_bind(file.stage.clone());
    values.push_bind(file.path.clone());
    values.push_bind(file.project.as_str().to_owned());
    values.push_bind(file.version.clone());
    values.push_bind(file.filename.to_string());
    values.push_bind(file.role.as_str());
    values.push_bind(file.for_path.clone());
    values.push_bind(file.digest.to_string());
    values.push_bind(file.size as i64);
    values.push_bind(file.requires_python.clone());
    beside(&mut values, file.metadata);
    beside(&mut values, file.provenance);
    values.push_bind(file.yanked.clone());
    values.push_bind(file.uploaded_at.as_millisecond());
    values.push_bind(file.log.clone());
    sql.push(");\n");
}

fn beside(values: &mut Separated<'_, Any, &str>, beside: Option<Beside>) {
    values.push_bind(beside.map(|beside| beside.digest.to_string()));
    values.push_bind(beside.map(|beside| beside.size as i64));
}

fn keep(sql: &mut QueryBuilder<Any>, blob: &Unsynced) {
    sql.push("insert into unsynced (digest, bytes) values (");
    let mut values = sql.separated(", ");
    values.push_bind(blob.digest.to_string());
    values.push_bind(blob.bytes.to_vec());
    sql.push(");\n");
}
