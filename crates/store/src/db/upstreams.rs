//! Which upstream a mirror's records come from.

use super::Db;
use crate::Error;

impl Db {
    /// Notes that a mirror's pages come from `upstream` from now on; answers whether they came
    /// from another one before, in which case those are forgotten, and what stands beside files
    /// with them. Files stay: whoever lists them says what they must contain.
    pub async fn set_upstream(&self, mirror: &str, upstream: &str) -> Result<bool, Error> {
        let doing = "noting where a mirror's pages come from";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let known: Option<String> =
            sqlx::query_scalar("select upstream from upstreams where mirror = $1")
                .bind(mirror)
                .fetch_optional(&mut *change)
                .await
                .map_err(failed)?;
        if known.as_deref() == Some(upstream) {
            return Ok(false);
        }
        for forget in [
            "delete from pages where mirror = $1",
            "delete from roots where mirror = $1",
            "delete from made_metadata where mirror = $1",
            // Their blobs are then nobody's, and collected as such.
            "delete from sidecars where mirror = $1",
            "delete from refused where mirror = $1",
        ] {
            let statement = sqlx::query(forget).bind(mirror);
            statement.execute(&mut *change).await.map_err(failed)?;
        }
        sqlx::query(
            "insert into upstreams (mirror, upstream) values ($1, $2)
             on conflict (mirror) do update set upstream = excluded.upstream",
        )
        .bind(mirror)
        .bind(upstream)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(known.is_some())
    }
}
