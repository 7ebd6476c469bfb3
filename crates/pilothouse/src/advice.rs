//! What `serve` says when it has started: the lines to paste, and what it assumed.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::config::{Config, Origin, Places, Setting};
use crate::container::Way;

/// The lines to paste for pip, uv and a Dockerfile.
pub(crate) fn lines_to_paste(listening: &[SocketAddr], way: &Way) -> String {
    let Some(here) = listening.first() else {
        return String::new();
    };
    let local = SocketAddr::new(reachable(here.ip()), here.port());
    let index = format!("http://{local}/simple/");
    let host = host(&local);
    // Writing to a String cannot fail.
    let mut text = String::new();
    let _ = writeln!(text, "pip:");
    let _ = writeln!(
        text,
        "  pip install --index-url {index} --trusted-host {host} PROJECT"
    );
    let _ = writeln!(text, "or for good:");
    let _ = writeln!(text, "  pip config set global.index-url {index}");
    let _ = writeln!(text, "  pip config set global.trusted-host {host}");
    let _ = writeln!(text, "uv:");
    let _ = writeln!(
        text,
        "  export UV_DEFAULT_INDEX={index} UV_INSECURE_HOST={local}"
    );
    text + &dockerfile(listening, way)
}

/// The part for containers, with the address at which they really reach us.
fn dockerfile(listening: &[SocketAddr], way: &Way) -> String {
    let port = listening.first().map_or(0, SocketAddr::port);
    let address = match way {
        Way::Name(_) => None,
        Way::HostNetwork { address } => *address,
        Way::Bridge { address, .. } => Some(*address),
    };
    let served = address.and_then(|address| {
        let port = listener_at(listening, address.into())?;
        Some((address.to_string(), port))
    });
    let ((host, port), remark) = match (way, served) {
        (Way::Name(name), _) => (((*name).to_owned(), port), None),
        (_, Some(there)) => (there, None),
        (Way::HostNetwork { .. }, None) => {
            let remark = format!(
                "no container bridge was found here: build with `docker build --network host`, or start with `--listen 0.0.0.0:{port}`, and with `--restrict-modify root` once root has a password, or `--open-to-anyone`"
            );
            (("127.0.0.1".to_owned(), port), Some(remark))
        }
        (Way::Bridge { name, address }, None) => {
            let flags: Vec<String> = listening
                .iter()
                .map(|listener| format!("--listen {listener}"))
                .collect();
            let remark = format!(
                "containers reach this machine at {address} ({name}), and nothing listens there yet: start with `{} --listen {address}:{port}`, and with `--restrict-modify root` once root has a password, or `--open-to-anyone`",
                flags.join(" ")
            );
            ((address.to_string(), port), Some(remark))
        }
    };
    let index = format!("http://{host}:{port}/simple/");
    let mut text = "Dockerfile, before the first install:\n".to_owned();
    let _ = writeln!(text, "  ARG PIP_INDEX_URL={index}");
    let _ = writeln!(text, "  ARG PIP_TRUSTED_HOST={host}");
    let _ = writeln!(text, "  ARG UV_DEFAULT_INDEX={index}");
    let _ = writeln!(text, "  ARG UV_INSECURE_HOST={host}:{port}");
    if let Some(remark) = remark {
        let _ = writeln!(text, "  ({remark})");
    }
    text
}

/// The port on which `address` is served.
fn listener_at(listening: &[SocketAddr], address: IpAddr) -> Option<u16> {
    let serves =
        |listener: &&SocketAddr| listener.ip().is_unspecified() || listener.ip() == address;
    listening.iter().find(serves).map(SocketAddr::port)
}

/// An address that can be connected to, for one that may mean all of them.
pub(crate) fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        other => other,
    }
}

/// As pip's `--trusted-host` wants it: IPv6 in brackets, no port.
fn host(address: &SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// What was assumed, and where to write something else.
pub(crate) fn assumptions(config: &Config, limit: &str, places: &Places) -> String {
    let mut text = String::new();
    for mirror in &config.mirrors {
        let offline = mirror
            .manners
            .offline
            .as_ref()
            .is_some_and(|offline| offline.value);
        let upstream = mirror.upstream.clone();
        let upstream = with_origin(&upstream.map(|upstream| upstream.to_string()));
        let offline = if offline { ", offline" } else { "" };
        let _ = writeln!(text, "  {} mirrors {upstream}{offline}", mirror.name);
    }
    let data_dir = config
        .data_dir
        .clone()
        .map(|path| path.display().to_string());
    let _ = writeln!(text, "  data in {}", with_origin(&data_dir));
    let _ = writeln!(
        text,
        "  files take {limit} ({})",
        origin(&config.max_size.origin)
    );
    match (&config.file, places.config_file()) {
        (Some(file), _) => {
            let _ = writeln!(text, "  settings from {}", file.display());
        }
        (None, Some(file)) => {
            let _ = writeln!(
                text,
                "  no settings file; `pilothouse config example` prints one for {}",
                file.display()
            );
        }
        (None, None) => {}
    }
    for note in &config.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

fn with_origin(setting: &Setting<String>) -> String {
    format!("{} ({})", setting.value, origin(&setting.origin))
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Default => "by default".to_owned(),
        other => format!("from {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const BRIDGE: Way = Way::Bridge {
        name: "docker0",
        address: Ipv4Addr::new(172, 17, 0, 1),
    };

    fn listening(addresses: &[&str]) -> Vec<SocketAddr> {
        addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect()
    }

    #[test]
    fn a_container_is_told_how_to_make_us_listen_where_it_can_reach() {
        insta::assert_snapshot!(lines_to_paste(&listening(&["127.0.0.1:3141"]), &BRIDGE), @r"
        pip:
          pip install --index-url http://127.0.0.1:3141/simple/ --trusted-host 127.0.0.1 PROJECT
        or for good:
          pip config set global.index-url http://127.0.0.1:3141/simple/
          pip config set global.trusted-host 127.0.0.1
        uv:
          export UV_DEFAULT_INDEX=http://127.0.0.1:3141/simple/ UV_INSECURE_HOST=127.0.0.1:3141
        Dockerfile, before the first install:
          ARG PIP_INDEX_URL=http://172.17.0.1:3141/simple/
          ARG PIP_TRUSTED_HOST=172.17.0.1
          ARG UV_DEFAULT_INDEX=http://172.17.0.1:3141/simple/
          ARG UV_INSECURE_HOST=172.17.0.1:3141
          (containers reach this machine at 172.17.0.1 (docker0), and nothing listens there yet: start with `--listen 127.0.0.1:3141 --listen 172.17.0.1:3141`, and with `--restrict-modify root` once root has a password, or `--open-to-anyone`)
        ");
    }

    #[test]
    fn a_server_that_listens_there_says_no_more() {
        for addresses in [
            &["127.0.0.1:3141", "172.17.0.1:3200"][..],
            &["0.0.0.0:3200"],
            &["[::]:3200"],
        ] {
            let text = dockerfile(&listening(addresses), &BRIDGE);
            assert!(
                text.ends_with("ARG UV_INSECURE_HOST=172.17.0.1:3200\n"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_desktop_engine_has_a_name_for_us() {
        let text = dockerfile(
            &listening(&["127.0.0.1:3141"]),
            &Way::Name("host.docker.internal"),
        );
        insta::assert_snapshot!(text, @r"
        Dockerfile, before the first install:
          ARG PIP_INDEX_URL=http://host.docker.internal:3141/simple/
          ARG PIP_TRUSTED_HOST=host.docker.internal
          ARG UV_DEFAULT_INDEX=http://host.docker.internal:3141/simple/
          ARG UV_INSECURE_HOST=host.docker.internal:3141
        ");
    }

    #[test]
    fn without_a_bridge_the_build_shares_our_network() {
        let address = Some(Ipv4Addr::new(192, 0, 2, 2));
        let way = Way::HostNetwork { address };
        let text = dockerfile(&listening(&["[::1]:3141"]), &way);
        assert!(text.contains("--network host"), "{text}");
        let text = dockerfile(&listening(&["0.0.0.0:3141"]), &way);
        let last = "ARG UV_INSECURE_HOST=192.0.2.2:3141\n";
        assert!(text.ends_with(last), "{text}");
    }
}
