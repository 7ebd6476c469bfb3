//! At which address a container on this machine reaches the machine itself.
//!
//! On Linux that is the address of the engine's bridge, which the kernel tells
//! in two tables of `/proc/net`: the bridge's network, and our own addresses.
//! Docker Desktop has a name for it instead.

use std::net::Ipv4Addr;

/// The bridges that engines make, the commonest first.
const BRIDGES: [&str; 4] = ["docker0", "podman0", "cni-podman0", "nerdctl0"];

/// How a container gets at this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through a bridge that has this address here.
    Bridge {
        name: &'static str,
        address: Ipv4Addr,
    },
    /// By a name that leads to our loopback.
    Name(&'static str),
    /// By sharing our network, or at our address on it where somebody listens there.
    HostNetwork { address: Option<Ipv4Addr> },
}

/// The way on this machine, as it is now.
pub(crate) fn way() -> Way {
    if cfg!(not(target_os = "linux")) {
        return Way::Name("host.docker.internal");
    }
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    bridge(&read("/proc/net/route"), &read("/proc/net/fib_trie"))
}

/// Finds a bridge in the kernel's table of routes, and which of our addresses is on it.
fn bridge(routes: &str, addresses: &str) -> Way {
    let own = own_addresses(addresses);
    for name in BRIDGES {
        let networks = routes.lines().filter_map(|line| network(line, name));
        for (network, mask) in networks {
            if let Some(address) = own
                .iter()
                .find(|address| address.to_bits() & mask == network)
            {
                return Way::Bridge {
                    name,
                    address: *address,
                };
            }
        }
    }
    Way::HostNetwork {
        address: on_default_route(routes, &own),
    }
}

/// Our address on the network that leads everywhere else.
fn on_default_route(routes: &str, own: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    let interface = routes.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let (interface, destination) = (fields.next()?, fields.next()?);
        (destination == "00000000").then_some(interface)
    })?;
    let mut networks = routes.lines().filter_map(|line| network(line, interface));
    networks.find_map(|(network, mask)| {
        let is_in = |address: &&Ipv4Addr| address.to_bits() & mask == network;
        own.iter().find(is_in).copied()
    })
}

/// Network and mask of a route through `interface`; the kernel writes them as little-endian hex.
fn network(line: &str, interface: &str) -> Option<(u32, u32)> {
    let mut fields = line.split_whitespace();
    if fields.next()? != interface {
        return None;
    }
    let mut hex = |skip: usize| {
        u32::from_str_radix(fields.nth(skip)?, 16)
            .ok()
            .map(u32::swap_bytes)
    };
    let network = hex(0)?;
    let mask = hex(5)?;
    (mask != 0).then_some((network, mask))
}

/// The addresses that the kernel's trie marks as ours: a line with the address, then one with `host LOCAL`.
fn own_addresses(trie: &str) -> Vec<Ipv4Addr> {
    let mut addresses = Vec::new();
    let mut last: Option<Ipv4Addr> = None;
    for line in trie.lines() {
        if let Some((_, address)) = line.split_once("|-- ") {
            last = address.trim().parse().ok();
        } else if line.contains("host LOCAL") {
            addresses.extend(last);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
";
    const ADDRESSES: &str = "\
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 172.17.0.0/16 2 0 2
        |-- 172.17.0.0
           /16 link UNICAST
        |-- 172.17.0.1
           /32 host LOCAL
     |-- 192.0.2.2
        /32 host LOCAL
";

    #[test]
    fn the_bridge_is_found_in_the_kernels_tables() {
        let address = Ipv4Addr::new(172, 17, 0, 1);
        assert_eq!(
            bridge(ROUTES, ADDRESSES),
            Way::Bridge {
                name: "docker0",
                address
            }
        );
    }

    #[test]
    fn without_a_bridge_only_the_hosts_network_is_left() {
        let routes = ROUTES.replace("docker0", "eth1");
        let address = Some(Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(bridge(&routes, ADDRESSES), Way::HostNetwork { address });
        let alone = Way::HostNetwork { address: None };
        assert_eq!(bridge("", ""), alone);
    }
}
