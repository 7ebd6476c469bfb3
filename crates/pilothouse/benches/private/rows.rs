//! What is measured on a server, row by row.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, Credentials};
use crate::furniture::{
    CLOSED_PAGE, FILES, Large, PAGE, Whose, api_token, furnish, login, upload, wheel,
};
use crate::measure::{Measured, repeated, shared};

/// How much is measured.
pub(crate) struct Plan {
    pub(crate) each: Duration,
    pub(crate) large: Large,
}

/// One figure, if this server has one.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) figure: Option<f64>,
}

/// What a figure counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Megabytes,
    Milliseconds,
}

impl Row {
    fn new(what: impl Into<String>, unit: Unit, figure: impl Into<Option<f64>>) -> Self {
        Self {
            what: what.into(),
            unit,
            figure: figure.into(),
        }
    }
}

/// The clients at once, of the rows that have several.
const CLIENTS: [(usize, &str); 2] = [(1, "1 client"), (8, "8 clients")];

/// What pip asks for.
const PIP: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";

/// Measures a server that has only just been made; `restart` keeps its address.
pub(crate) fn measure(plan: &Plan, whose: Whose, url: &str, restart: impl FnOnce()) -> Vec<Row> {
    let admin = furnish(url, whose);
    let mut rows = Vec::new();
    for (clients, name) in CLIENTS {
        let what = format!("uploads of 2 kB, {name}");
        let figure = uploads(plan, url, &admin, clients).per_second;
        rows.push(Row::new(what, Unit::PerSecond, figure));
    }
    let by_number = [&plan.large.by_one, &plan.large.by_eight];
    for ((clients, name), forms) in CLIENTS.into_iter().zip(by_number) {
        let what = format!("uploads of 64 MB, {name}");
        let figure = large_uploads(url, &admin, clients, forms);
        rows.push(Row::new(what, Unit::Megabytes, figure));
    }
    for (clients, name) in CLIENTS {
        let what = format!("page of {FILES} files through two bases, {name}");
        let figure = answers(plan, url, &page(PAGE), None, clients).per_second;
        rows.push(Row::new(what, Unit::PerSecond, figure));
    }
    // Whatever was remembered of a password is forgotten now.
    restart();
    rows.extend(credentials(plan, whose, url));
    rows
}

fn credentials(plan: &Plan, whose: Whose, url: &str) -> Vec<Row> {
    let private = page(match whose {
        Whose::Ours => CLOSED_PAGE,
        Whose::Devpis => PAGE,
    });
    let password = Credentials::Basic("admin".to_owned(), "secret".to_owned());
    let first = milliseconds(first(url, &password));
    let what = "the password, `/+api`, first time after a start";
    let mut rows = vec![Row::new(what, Unit::Milliseconds, first)];
    let login = login(url);
    let api_token = (whose == Whose::Ours).then(|| api_token(url, &login));
    for (name, credentials) in [
        ("the password", Some(password)),
        ("a login token", Some(login)),
        ("an API token", api_token),
    ] {
        for (place, question) in [("`/+api`", &who_am_i()), ("private page", &private)] {
            let measured = credentials
                .as_ref()
                .map(|shown| answers(plan, url, question, Some(shown), 1));
            let figure = measured.as_ref().map(|measured| measured.per_second);
            let what = format!("{name}, {place}, 1 client");
            rows.push(Row::new(what, Unit::PerSecond, figure));
            let figure = measured.map(|measured| milliseconds(measured.median));
            let what = format!("{name}, {place}, median");
            rows.push(Row::new(what, Unit::Milliseconds, figure));
        }
    }
    rows
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Uploads, each of another project.
fn uploads(plan: &Plan, url: &str, admin: &Credentials, clients: usize) -> Measured {
    let next = AtomicUsize::new(0);
    repeated(clients, plan.each, || {
        let mut client = Client::new(url);
        let next = &next;
        move || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let form = wheel(&format!("small-{clients}-{number}"), "1.0", 1000);
            upload(&mut client, "/admin/dev/", admin, &form);
        }
    })
}

/// Megabytes a second.
fn large_uploads(url: &str, admin: &Credentials, clients: usize, forms: &[Vec<u8>]) -> f64 {
    let bytes: usize = forms.iter().map(Vec::len).sum();
    let took = shared(clients, forms, || {
        let mut client = Client::new(url);
        move |form: &Vec<u8>| upload(&mut client, "/admin/dev/", admin, form)
    });
    bytes as f64 / 1e6 / took.as_secs_f64()
}

/// What is asked for, and by what a right answer is known.
struct Question {
    path: &'static str,
    accept: &'static str,
    sign: String,
}

fn page(path: &'static str) -> Question {
    Question {
        path,
        accept: PIP,
        sign: format!("many-1.{}-py3-none-any.whl", FILES - 1),
    }
}

/// What devpi's client asks first: the one address where devpi-server looks at
/// credentials without changing anything.
fn who_am_i() -> Question {
    Question {
        path: "/+api",
        accept: "application/json",
        sign: "\"ok\"".to_owned(),
    }
}

impl Question {
    fn ask(&self, client: &mut Client, credentials: Option<&Credentials>) {
        let accept = [("Accept", self.accept)];
        let answer = client.send("GET", self.path, credentials, &accept, &[]);
        let text = answer.text();
        assert!(answer.status == 200 && text.contains(&self.sign), "{text}");
    }
}

fn answers(
    plan: &Plan,
    url: &str,
    question: &Question,
    credentials: Option<&Credentials>,
    clients: usize,
) -> Measured {
    repeated(clients, plan.each, || {
        let mut client = Client::new(url);
        move || question.ask(&mut client, credentials)
    })
}

/// How long somebody waits whose password nobody has shown yet.
fn first(url: &str, credentials: &Credentials) -> Duration {
    let mut client = Client::new(url);
    // The connection stands, and the server has read what it needs.
    page(PAGE).ask(&mut client, None);
    Client::new(url).json("GET", "/+api", None, &Value::Null);
    let began = Instant::now();
    who_am_i().ask(&mut client, Some(credentials));
    began.elapsed()
}
