//! Who asks, as far as that can be believed.

use axum::extract::FromRequestParts;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use index::access::{Caller, Permission, Reach, Rules};
use index::accounts::Denied;
use index::{By, Entry, IndexName};
use jiff::Timestamp;
use pyspec::ProjectName;

use crate::app::App;
use crate::credentials::Credentials;
use crate::fault::Fault;

/// Who asks.
///
/// Wrong credentials are nobody's: what anybody may read is still answered, as
/// devpi does. Where more is needed they are told apart from none, since an
/// installer with an old token must hear of it.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) caller: Caller,
    refused: Option<String>,
}

impl Asking {
    /// A fault is that it cannot be told just now.
    pub(crate) async fn of(app: &App, headers: &HeaderMap) -> Result<Self, Fault> {
        let Some(credentials) = Credentials::of(headers) else {
            return Ok(Self::anonymous());
        };
        let now = Timestamp::now();
        let Credentials { user, secret } = credentials;
        if let Some(caller) = app.accounts().known(&user, &secret, now) {
            return Ok(Self::believing(caller));
        }
        let accounts = app.accounts().clone();
        let checked = app
            .domain(async move { Ok::<_, Fault>(accounts.authenticate(&user, &secret, now).await) })
            .await?;
        match checked {
            Ok(caller) => Ok(Self::believing(caller)),
            Err(busy @ Denied::Busy(_)) => Err(index::Error::from(busy).into()),
            Err(denied) => Ok(Self {
                caller: Caller::anonymous(),
                refused: Some(denied.to_string()),
            }),
        }
    }

    /// Who asks, if that can be told at once and they are somebody.
    pub(crate) fn known(app: &App, headers: &HeaderMap) -> Option<Self> {
        let Credentials { user, secret } = Credentials::of(headers)?;
        let caller = app.accounts().known(&user, &secret, Timestamp::now())?;
        Some(Self::believing(caller))
    }

    /// Somebody who does not say who they are.
    pub(crate) fn anonymous() -> Self {
        Self::believing(Caller::anonymous())
    }

    fn believing(caller: Caller) -> Self {
        Self {
            caller,
            refused: None,
        }
    }

    /// Whether they said who they are and were not believed.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Who asks, for what is not done by whoever shows wrong credentials: they hear of those.
    pub(crate) fn believed(&self) -> Result<Caller, Fault> {
        match &self.refused {
            Some(denied) => Err(unauthorized(denied.clone())),
            None => Ok(self.caller.clone()),
        }
    }

    /// The name for the log of what was done.
    pub(crate) fn who(&self) -> Option<String> {
        self.caller.user().map(ToString::to_string)
    }

    /// Who does something now.
    pub(crate) fn by(&self) -> By {
        By::new(&self.caller, Timestamp::now())
    }

    /// Whether they may do this to an index.
    pub(crate) fn may(
        &self,
        app: &App,
        permission: Permission,
        entry: &Entry,
        reach: Reach<'_>,
    ) -> bool {
        let rules = Rules::new(&entry.settings, app.accounts().admins());
        self.caller.may(permission, &entry.name, reach, &rules)
    }

    /// Whether they may read so much of an index.
    pub(crate) fn may_read(&self, app: &App, entry: &Entry, project: Option<&ProjectName>) -> bool {
        let reach = project.map_or(Reach::Some, Reach::Project);
        self.may(app, Permission::Read, entry, reach)
    }

    /// Who reads this index, with what its bases show to them.
    pub(crate) fn reading_through(&self, index: &IndexName) -> Self {
        Self {
            caller: self.caller.clone().reading_through(index),
            refused: self.refused.clone(),
        }
    }

    /// Whether they may do anything with an index, so that it may be named to them.
    pub(crate) fn concerns(&self, app: &App, entry: &Entry) -> bool {
        self.may_read(app, entry, None)
            || self.may(app, Permission::Upload, entry, Reach::Some)
            || self.may(app, Permission::Remove, entry, Reach::Some)
            || self.may(app, Permission::Modify, entry, Reach::Whole)
    }

    /// Says that more is needed than they have: 401 to whom we do not know, else 403.
    pub(crate) fn lacks(&self, line: impl Into<String>) -> Fault {
        match &self.refused {
            Some(denied) => unauthorized(denied.clone()),
            None if self.caller.user().is_none() => unauthorized(line.into()),
            None => Fault::new(StatusCode::FORBIDDEN, "forbidden", line),
        }
    }

    /// Why they may not do this to an index that they know of, to stand behind a colon.
    pub(crate) fn why_not(
        &self,
        app: &App,
        permission: Permission,
        entry: &Entry,
        reach: Reach<'_>,
    ) -> String {
        let rules = Rules::new(&entry.settings, app.accounts().admins());
        self.caller.lacks(permission, &entry.name, reach, &rules)
    }

    /// Hides an index from whom it does not concern. Whoever shows wrong credentials
    /// hears of those, whether or not there is such an index.
    pub(crate) fn hidden(&self, index: &IndexName) -> Fault {
        match &self.refused {
            Some(denied) => unauthorized(denied.clone()),
            None => Fault::from(index::Error::NoSuchIndex {
                index: index.to_string(),
            }),
        }
    }

    /// The same in devpi's words.
    pub(crate) fn unseen(&self, index: &IndexName) -> Fault {
        match &self.refused {
            Some(denied) => unauthorized(denied.clone()),
            None => no_such_stage(index),
        }
    }
}

/// As devpi says it.
fn no_such_stage(index: &IndexName) -> Fault {
    let line = format!("The stage {index} could not be found.");
    Fault::new(StatusCode::NOT_FOUND, "no-such-index", line)
}

/// 401 with what pip and twine wait for before they ask for a password.
pub(crate) fn unauthorized(line: impl Into<String>) -> Fault {
    let realm = HeaderValue::from_static("Basic realm=\"pypi\"");
    Fault::new(StatusCode::UNAUTHORIZED, "unauthorized", line).with(WWW_AUTHENTICATE, realm)
}

impl FromRequestParts<App> for Asking {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        Self::of(app, &parts.headers).await
    }
}
