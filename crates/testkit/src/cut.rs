//! A wire between a client and a server that breaks once.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Passes on every connection to a server, and breaks the first answer that is long enough.
#[derive(Debug)]
pub struct Cut {
    address: SocketAddr,
    has_cut: Arc<AtomicBool>,
}

impl Cut {
    /// Stands before `server` (`127.0.0.1:3141`), and breaks one connection
    /// after it has carried so many bytes to the client.
    pub fn start(server: &str, after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it listens");
        let has_cut = Arc::new(AtomicBool::new(false));
        let (server, cut) = (server.to_owned(), has_cut.clone());
        // It ends with the process: a test has one.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&server).expect("the server listens");
                let cut = cut.clone();
                thread::spawn(move || pass(client, server, after, &cut));
            }
        });
        Self { address, has_cut }
    }

    /// `http://127.0.0.1:{port}`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether it has broken by now.
    pub fn has_cut(&self) -> bool {
        self.has_cut.load(Ordering::SeqCst)
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, after: usize, cut: &AtomicBool) {
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    thread::spawn(move || {
        // Its end is told by the other direction.
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut carried, mut buffer) = (0, vec![0; 16 * 1024]);
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        carried += count;
        if carried > after && !cut.swap(true, Ordering::SeqCst) {
            break;
        }
        if client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
