//! Where a request comes from, as far as the caller cannot choose it.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// The address that tries are counted by. `forwarded` are the values of `X-Forwarded-For`, in their order; they count
/// only as far as proxies that are trusted have written them: the right-most address that is none of them.
pub fn caller(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut address = peer.to_canonical();
    let hops = forwarded.iter().rev().flat_map(|value| value.rsplit(','));
    for hop in hops {
        if !is_trusted(&address) {
            break;
        }
        // What cannot be read was not written by a proxy of ours.
        let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    counted(address)
}

/// Whoever has one IPv6 address has the other addresses of its network too.
fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        caller(peer.parse().unwrap(), forwarded, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_speak_for_others() {
        assert_eq!(at("198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(at("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(at("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        // What the caller wrote stands left of what the proxy wrote.
        assert_eq!(at("10.0.0.1", &["192.0.2.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(at("10.0.0.1", &["192.0.2.1", "203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(at("10.0.0.1", &["192.0.2.1, unknown"]), "10.0.0.1");
        assert_eq!(at("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        assert_eq!(at("2001:db8:1:2:3:4:5:6", &[]), "2001:db8:1:2::");
        assert_eq!(at("2001:db8:1:2:ffff::1", &[]), "2001:db8:1:2::");
        assert_eq!(at("fd00::1", &["2001:db8:9:9::1"]), "2001:db8:9:9::");
        assert_eq!(at("::ffff:198.51.100.7", &[]), "198.51.100.7");
    }
}
