//! Trusted publishing, as PyPI speaks it: an ID token of a CI job for a token of ours.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use index::access::Scope;
use index::accounts::NewToken;
use index::publisher::Refused;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::app::App;
use crate::devpi::object;
use crate::fault::Fault;

/// Long enough for one upload job.
const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// `GET /_/oidc/audience`
pub(crate) async fn audience(State(app): State<App>) -> Response {
    answer(
        StatusCode::OK,
        &json!({ "audience": app.publishers().audience() }),
    )
}

/// `POST /_/oidc/mint-token`
pub(crate) async fn mint(State(app): State<App>, request: Request) -> Result<Response, Fault> {
    let mut fields = object(request).await?;
    let Some(Value::String(token)) = fields.remove("token") else {
        return Ok(refused("invalid-payload", "the body has no `token`"));
    };
    drop(fields);
    let (publishers, now) = (app.publishers().clone(), Timestamp::now());
    let granted = app
        .domain(async move { Ok::<_, Fault>(publishers.grant(&token, now).await) })
        .await?;
    let grant = match granted {
        Ok(grant) => grant,
        Err(why) => return Ok(refused(code(&why), &why.to_string())),
    };
    let new = NewToken {
        name: grant.subject,
        scope: Some(Scope {
            read: true,
            upload: true,
            remove: false,
            index: Some(grant.index.clone()),
            project: grant.project,
        }),
        expires: Some(now + LASTS),
    };
    let (accounts, owner) = (app.accounts().clone(), grant.index.user().to_owned());
    let (_, secret) = app
        .domain(async move { accounts.create_publisher_token(&owner, new, now).await })
        .await?;
    let expires = (now + LASTS).as_second();
    Ok(answer(
        StatusCode::OK,
        &json!({ "success": true, "token": secret.reveal(), "expires": expires }),
    ))
}

fn code(why: &Refused) -> &'static str {
    match why {
        Refused::NotSetUp => "not-enabled",
        Refused::Malformed { .. } => "invalid-payload",
        Refused::NoMatch { .. } | Refused::Ambiguous => "invalid-publisher",
        Refused::UnknownIssuer { .. }
        | Refused::NoKeys { .. }
        | Refused::Invalid { .. }
        | Refused::Used => "invalid-token",
    }
}

/// As PyPI says it: uv and PyPI's own action print the descriptions.
fn refused(code: &str, why: &str) -> Response {
    answer(
        StatusCode::UNPROCESSABLE_ENTITY,
        &json!({
            "message": "Token request failed",
            "errors": [{ "code": code, "description": why }],
        }),
    )
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = body.to_string().into_response();
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
