//! Which local addresses a peer offers.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Candidates more than these only make the handshake longer.
const MAX_ADDRESSES: usize = 12;

/// What the signaling connection knows about the way to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Our address on it.
    pub local: IpAddr,
    /// The peer's address on it.
    pub remote: IpAddr,
    /// Bytes of an IP packet that pass, where known.
    pub mtu: Option<u32>,
}

impl Route {
    /// A route that stays on this machine.
    pub fn loopback() -> Self {
        let ip = IpAddr::from([127, 0, 0, 1]);
        Self { local: ip, remote: ip, mtu: None }
    }

    /// The addresses to bind, the most promising first, out of all that this
    /// machine has (`interfaces`), each with a free port.
    ///
    /// The address of the signaling connection comes first: a packet of that
    /// connection has just passed there. The others follow, since the peer may
    /// reach us only over one of them (a forwarded port, a container, a peer
    /// that leaves 127.0.0.1 out). Loopback is offered only to a peer on this
    /// machine; link-local IPv6 never, because a candidate has no scope.
    pub(super) fn bind_addresses(&self, interfaces: &[IpAddr]) -> Vec<SocketAddr> {
        let local = self.local.to_canonical();
        let mut found = Vec::new();
        if !local.is_unspecified() && !is_scoped(local) {
            found.push(local);
        }
        for ip in interfaces.iter().map(IpAddr::to_canonical) {
            let usable = !ip.is_loopback()
                && !ip.is_unspecified()
                && !ip.is_multicast()
                && !is_link_local(ip);
            if usable && !found.contains(&ip) {
                found.push(ip);
            }
        }
        found.truncate(MAX_ADDRESSES);
        found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect()
    }

    /// The largest SCTP packet for this route: `wanted`, or what fits into the
    /// route's IP packets with the headers around it.
    pub(super) fn sctp_mtu(&self, wanted: u32) -> u32 {
        /// UDP 8; a DTLS record 13 + 16 (`ChaCha20`) or 13 + 24 (AES-GCM).
        const UDP_AND_DTLS: u32 = 8 + 37;
        /// RFC 8200: what every IPv6 path carries.
        const IPV6_MINIMUM: u32 = 1280;
        // Candidates of both families may be used, so the larger header counts.
        const IP: u32 = 40;
        let fits = self.mtu.map_or(u32::MAX, |mtu| mtu.max(IPV6_MINIMUM) - IP - UDP_AND_DTLS);
        wanted.min(fits)
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(_) => is_scoped(ip),
    }
}

fn is_scoped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if Ipv6Addr::is_unicast_link_local(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    fn bound(local: &str, remote: &str, interfaces: &str) -> Vec<IpAddr> {
        let route =
            Route { local: local.parse().unwrap(), remote: remote.parse().unwrap(), mtu: None };
        route.bind_addresses(&ips(interfaces)).into_iter().map(|a| a.ip()).collect()
    }

    #[test]
    fn a_peer_on_loopback_gets_loopback_first_and_the_other_addresses() {
        let all = "127.0.0.1 ::1 192.0.2.2 fd00::2 fe80::1";
        assert_eq!(bound("127.0.0.1", "127.0.0.1", all), ips("127.0.0.1 192.0.2.2 fd00::2"));
        assert_eq!(bound("::1", "::1", all), ips("::1 192.0.2.2 fd00::2"));
    }

    #[test]
    fn a_machine_with_loopback_only_offers_that() {
        assert_eq!(bound("127.0.0.1", "127.0.0.1", "127.0.0.1 ::1"), ips("127.0.0.1"));
    }

    #[test]
    fn a_remote_peer_never_gets_loopback() {
        let all = "127.0.0.1 10.0.0.5 172.17.0.1";
        assert_eq!(bound("172.17.0.1", "172.17.0.2", all), ips("172.17.0.1 10.0.0.5"));
    }

    #[test]
    fn mapped_addresses_of_a_dual_stack_listener_become_plain() {
        assert_eq!(bound("::ffff:10.0.0.5", "::ffff:10.0.0.6", "10.0.0.5"), ips("10.0.0.5"));
    }

    #[test]
    fn a_directly_wired_link_local_ipv4_is_used_when_the_peer_is_there() {
        let all = "127.0.0.1 169.254.7.1";
        assert_eq!(bound("169.254.7.1", "169.254.7.2", all), ips("169.254.7.1"));
        assert_eq!(bound("10.0.0.5", "10.0.0.6", all), ips("10.0.0.5"));
    }

    #[test]
    fn packets_fit_the_route() {
        let with = |mtu| Route { mtu, ..Route::loopback() }.sctp_mtu(1400);
        assert_eq!(with(None), 1400);
        assert_eq!(with(Some(65_535)), 1400);
        assert_eq!(with(Some(1500)), 1400);
        assert_eq!(with(Some(1400)), 1400 - 40 - 8 - 37);
        assert_eq!(with(Some(600)), 1280 - 40 - 8 - 37);
    }
}
