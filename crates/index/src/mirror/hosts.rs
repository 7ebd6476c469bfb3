//! Which hosts a mirror may fetch from.
//!
//! An upstream names the host of each file itself. Without a rule, a hostile page
//! could make us ask anything that this machine can reach, so the host must be
//! the mirror's own or listed, and its address must not be private unless the
//! mirror itself lives at such an address, which only an operator may decide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::config::{Config, FileHosts, shown};

/// The hosts that one mirror may fetch from.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    own: Option<String>,
    own_is_secure: bool,
    own_may_be_private: bool,
    allowed: FileHosts,
}

impl Hosts {
    pub(crate) fn of(config: &Config) -> Self {
        let upstream = config.upstream.url();
        Self {
            own: upstream
                .and_then(Url::host_str)
                .map(str::to_ascii_lowercase),
            own_is_secure: upstream.is_some_and(|url| url.scheme() == "https"),
            own_may_be_private: config.may_be_private,
            allowed: config.file_hosts.clone(),
        }
    }

    /// Any host that the whole Internet reaches, and no other.
    pub(crate) fn public() -> Self {
        Self {
            own: None,
            own_is_secure: false,
            own_may_be_private: false,
            allowed: FileHosts::AnyPublic(Vec::new()),
        }
    }

    /// Whether `url` may be fetched; otherwise why not, and how to allow it.
    pub(crate) fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("`{}` is not an http or https address", shown(url)));
        }
        let Some(host) = url.host() else {
            return Err(format!("`{}` names no host", shown(url)));
        };
        let name = host.to_string().to_ascii_lowercase();
        let is_own = self.own.as_deref() == Some(&name);
        if (is_own && self.own_may_be_private) || self.is_listed(&name) {
            return Ok(());
        }
        if !is_own && !matches!(self.allowed, FileHosts::AnyPublic(_)) {
            return Err(format!(
                "files from `{name}` are not allowed: add it to `file-hosts` of this mirror if you trust it"
            ));
        }
        if self.own_is_secure && url.scheme() != "https" {
            return Err(format!(
                "`{}` is not https although the mirror is",
                shown(url)
            ));
        }
        match host {
            Host::Ipv4(ip) if !is_public(ip.into()) => Err(private(&name)),
            Host::Ipv6(ip) if !is_public(ip.into()) => Err(private(&name)),
            _ => Ok(()),
        }
    }

    /// Whether a name may resolve to a private address.
    fn may_be_private(&self, name: &str) -> bool {
        (self.own_may_be_private && self.own.as_deref() == Some(name)) || self.is_listed(name)
    }

    /// Whether the mirror's own name leads to a private address, as behind a company's proxy
    /// that answers for all public names: its files' names may then do so as well.
    async fn own_is_private(&self) -> bool {
        let Some(own) = self
            .own
            .as_ref()
            .filter(|_| self.own_may_be_private)
            .filter(|own| own.trim_matches(['[', ']']).parse::<IpAddr>().is_err())
        else {
            return false;
        };
        match tokio::net::lookup_host((own.as_str(), 0)).await {
            Ok(found) => {
                let mut found = found.peekable();
                found.peek().is_some() && found.all(|address| !is_public(address.ip()))
            }
            Err(_) => false,
        }
    }

    fn is_listed(&self, name: &str) -> bool {
        let (FileHosts::Listed(listed) | FileHosts::AnyPublic(listed)) = &self.allowed;
        listed.iter().any(|entry| match entry.strip_prefix("*.") {
            Some(parent) => name
                .strip_suffix(parent)
                .is_some_and(|rest| rest.ends_with('.')),
            None => entry.eq_ignore_ascii_case(name),
        })
    }
}

/// A name that leads to a private address and may not.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Private(String);

fn private(name: &str) -> String {
    format!(
        "`{name}` is a loopback or private address: list it in `file-hosts` of this mirror if files really live there"
    )
}

/// Whether an address is reachable from the whole Internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => ip
            .to_ipv4_mapped()
            .map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmarking = a == 198 && (b == 18 || b == 19);
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || shared
        || benchmarking)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // 64:ff9b::/96 (NAT64) and 2002::/16 (6to4) carry an IPv4 address that could be private.
    let [first, second, ..] = ip.segments();
    !(ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
        || first == 0x2002
        || (first == 0x64 && second == 0xff9b))
}

/// Resolves names, leaving out private addresses for hosts that are not trusted.
///
/// The check is here and not before the request, since a name may resolve
/// differently the second time it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    hosts: Arc<Hosts>,
    /// Proxies between us and upstream, which reqwest takes from the environment. They
    /// are where the operator put them; what they may reach is theirs to decide.
    proxies: Vec<String>,
}

impl Resolver {
    pub(crate) fn new(hosts: Arc<Hosts>) -> Self {
        Self {
            hosts,
            proxies: proxies(),
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = self.hosts.clone();
        let name = name.as_str().to_ascii_lowercase();
        let is_proxy = self.proxies.contains(&name);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let is_public = |address: &SocketAddr| is_public(address.ip());
            let allowed = if is_proxy || hosts.may_be_private(&name) || hosts.own_is_private().await
            {
                found
            } else {
                found.into_iter().filter(is_public).collect()
            };
            if allowed.is_empty() {
                return Err(Private(private(&name)).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn proxies() -> Vec<String> {
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    let values = names
        .iter()
        .flat_map(|name| [std::env::var(name), std::env::var(name.to_lowercase())]);
    let urls = values.flatten().map(|value| {
        if value.contains("://") {
            value
        } else {
            format!("http://{value}")
        }
    });
    urls.filter_map(|url| {
        Url::parse(&url)
            .ok()?
            .host_str()
            .map(str::to_ascii_lowercase)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::Upstream;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn hosts(upstream: &str, allowed: FileHosts, may_be_private: bool) -> Hosts {
        let name = "root/pypi".parse().unwrap();
        Hosts::of(&Config {
            file_hosts: allowed,
            may_be_private,
            ..Config::new(name, Upstream::Simple(url(upstream)))
        })
    }

    #[test]
    fn a_mirror_fetches_from_its_own_and_listed_hosts_only() {
        let listed = vec!["files.example".into(), "*.cdn.example".into()];
        let upstream = "https://index.example/simple/";
        let hosts = hosts(upstream, FileHosts::Listed(listed), true);
        for good in [
            "https://index.example/f",
            "https://files.example/f",
            "https://a.cdn.example/f",
        ] {
            assert_eq!(hosts.check(&url(good)), Ok(()), "{good}");
        }
        for bad in [
            "https://evil.example/f",
            "https://cdn.example/f",
            "https://xcdn.example/f",
            "ftp://files.example/f",
            "https://127.0.0.1/f",
        ] {
            assert!(hosts.check(&url(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_public_host_never_means_a_private_address() {
        let upstream = "https://index.example/simple/";
        let hosts = hosts(upstream, FileHosts::AnyPublic(Vec::new()), true);
        assert_eq!(hosts.check(&url("https://files.example/f")), Ok(()));
        for bad in [
            "https://127.0.0.1/f",
            "https://10.0.0.1/f",
            "https://169.254.169.254/latest",
            "https://[::1]/f",
            "https://[::ffff:10.0.0.1]/f",
            "https://100.64.0.1/f",
            "http://files.example/f",
        ] {
            assert!(hosts.check(&url(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mirror_on_loopback_may_fetch_from_itself() {
        let upstream = "http://127.0.0.1:7000/simple/";
        let any = FileHosts::AnyPublic(Vec::new());
        let trusted = hosts(upstream, any.clone(), true);
        assert_eq!(trusted.check(&url("http://127.0.0.1:7001/f")), Ok(()));
        assert!(trusted.check(&url("http://127.0.0.2/f")).is_err());
        // Whoever may make a mirror must not look into our network through it.
        let a_strangers = hosts(upstream, any, false);
        assert!(a_strangers.check(&url("http://127.0.0.1:7000/f")).is_err());
    }

    #[tokio::test]
    async fn a_strangers_own_name_leads_to_no_private_address() {
        let any = FileHosts::AnyPublic(Vec::new());
        for (may_be_private, expected) in [(true, true), (false, false)] {
            let hosts = hosts("http://localhost/simple/", any.clone(), may_be_private);
            let resolver = Resolver::new(Arc::new(hosts));
            let resolved = resolver.resolve("localhost".parse().unwrap()).await;
            assert_eq!(resolved.is_ok(), expected);
        }
    }
}
