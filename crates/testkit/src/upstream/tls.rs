//! The upstream behind TLS, where it speaks HTTP/2 and nothing else.
//!
//! Its certificate is for loopback, from an authority that is made for tests: who
//! shall trust it is given [`authority`]. What goes wrong on the wire itself goes
//! wrong without TLS only.

use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::{self, SendResponse};
use tokio::runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::log::Request;
use super::wire::Reply;
use super::{Shared, answer};

/// Both until 2096, made for tests and good for nothing else; the authority's key is thrown away.
const AUTHORITY: &str = "MIIBbjCCARSgAwIBAgIBATAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBF0ZXN0a2l0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk2MDEwMTAwMDAwMFowHDEaMBgGA1UEAwwRdGVzdGtpdCBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS8g29i8dnKoCMQOn1BG8c+IEJbc7FDNziW4yJMuno+UsSD/271vEZNVWoiGkrLnArbSMO1tThNwB4y75GR/Gueo0UwQzASBgNVHRMBAf8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQUNrNH4GfDCecwhB3rJ2Uz1NoReykwCgYIKoZIzj0EAwIDSAAwRQIgB2JeFuaTeh7oRuyvzONJ7iDXx5I4vjF9LBu8NOfrigECIQCx7Eq8SBozYpmqTcWkFJoLXYPpVVdQhsFGTE9f9netFQ==";
const HOST: &str = "MIIBijCCATCgAwIBAgIBAjAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBF0ZXN0a2l0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk2MDEwMTAwMDAwMFowGzEZMBcGA1UEAwwQdGVzdGtpdCB1cHN0cmVhbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGIBbxVO0cDRRkr6GtvPCEeFfDvJhcJfestGKY6xk6+D2BYqicgmJjiZlkLoxyyB1zr8K0xZ9qXGtdDLdam2MNGjYjBgMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAMBgNVHRMBAf8EAjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB8GA1UdIwQYMBaAFDazR+BnwwnnMIQd6ydlM9TaEXspMAoGCCqGSM49BAMCA0gAMEUCIQD6a22qX0CfcKgX/2xnlps00NaEpGoI/rPZBJp3Vyx+5wIgR9t+hLEVTFZgEwTRqYOhCtnNwWB9B17uHeBvDhTvcCA=";
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg29L+MBV0JhFHAZGW7sADLLo/ZLFJrKJmNc7lR8u4ZIahRANCAARiAW8VTtHA0UZK+hrbzwhHhXw7yYXCX3rLRimOsZOvg9gWKonIJiY4mZZC6Mcsgdc6/CtMWfalxrXQy3WptjDR";

/// The certificate of the authority that vouches for every upstream behind TLS, in PEM.
pub fn authority() -> String {
    format!("-----BEGIN CERTIFICATE-----\n{AUTHORITY}\n-----END CERTIFICATE-----\n")
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("it is written above")
}

fn acceptor() -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(decoded(KEY));
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![decoded(HOST).into()], key.into())
        .expect("the key is that of the certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// Serves one connection until its end.
pub(super) fn serve(shared: &Arc<Shared>, stream: &TcpStream, connection: usize) {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for one connection");
    // A peer that leaves early ends it as well.
    let _ = runtime.block_on(speak(shared.clone(), stream, connection));
}

async fn speak(
    shared: Arc<Shared>,
    stream: &TcpStream,
    connection: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let stream = stream.try_clone()?;
    stream.set_nonblocking(true)?;
    let stream = tokio::net::TcpStream::from_std(stream)?;
    let stream = acceptor().accept(stream).await?;
    let mut speaking = server::handshake(stream).await?;
    while let Some(next) = speaking.accept().await {
        let (request, respond) = next?;
        let request = read(&request, connection);
        let reply = answer::at_once(&shared, &request);
        send(reply, respond, request.method == "HEAD")?;
    }
    Ok(())
}

fn read(request: &http::Request<RecvStream>, connection: usize) -> Request {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    Request {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        headers: headers.collect(),
        version: "HTTP/2",
        connection,
        status: 0,
        bytes: 0,
    }
}

fn send(
    reply: Reply,
    mut respond: SendResponse<Bytes>,
    head_only: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut response = http::Response::builder()
        .status(reply.status)
        .header("content-length", reply.body.len());
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let has_body = !head_only && reply.status != 304;
    let mut stream = respond.send_response(response.body(())?, !has_body)?;
    if has_body {
        stream.send_data(reply.body, true)?;
    }
    Ok(())
}
