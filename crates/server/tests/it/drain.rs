//! What connections are told when the server stops, before they are closed.

use crate::client::Client;
use crate::site::Site;

/// Begins HTTP/2 with no settings of one's own.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

const HEADERS: u8 = 1;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// `GET /+health`, on stream 1, with END_STREAM and END_HEADERS.
fn request() -> Vec<u8> {
    // From HPACK's static table: the method and the scheme whole, path and authority by name.
    let mut block = vec![0x82, 0x86];
    for (name, value) in [(0x04, "/+health"), (0x01, "test.localhost:1")] {
        block.extend([name, value.len() as u8]);
        block.extend(value.as_bytes());
    }
    let mut frame = vec![0, 0, block.len() as u8, HEADERS, 0x05, 0, 0, 0, 1];
    frame.extend(block);
    frame
}

/// The next frame: its type and what it holds; none at the end.
async fn frame(client: &mut Client) -> Option<(u8, Vec<u8>)> {
    let head = client.take(9).await?;
    let len = head[..3]
        .iter()
        .fold(0, |len, byte| len << 8 | usize::from(*byte));
    Some((head[3], client.take(len).await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_http_2_connection_is_told_to_go_away() {
    let site = Site::start().await;
    let mut client = site.client().await;
    client.write_raw(PREFACE).await;
    client.write_raw(&request()).await;
    while frame(&mut client).await.unwrap().0 != HEADERS {}
    let stopped = site.stop();
    let mut said = Vec::new();
    while let Some((kind, payload)) = frame(&mut client).await {
        match kind {
            GOAWAY => said.push(payload),
            // It asks whether the first word has arrived.
            PING => {
                client.write_raw(&[0, 0, 8, PING, 1, 0, 0, 0, 0]).await;
                client.write_raw(&payload).await;
            }
            _ => {}
        }
    }
    // No new streams, please; then the last that was heard. Neither is an error.
    assert_eq!(
        said,
        [[127, 255, 255, 255, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0]]
    );
    stopped.await;
}
