//! The network of a client, which limits count instead of its address.

use core::net::IpAddr;

/// The network an address belongs to. A client with IPv6 usually has a /64 and may take any address
/// in it, so a limit by single addresses would not bind it (RFC 6177).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// A whole IPv4 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
    /// No address: a call from within the process.
    None,
}

impl Network {
    /// Returns the network of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }

    /// Returns the network of an address written as text.
    #[must_use]
    pub fn of_text(address: &str) -> Self {
        address.parse().map_or(Self::None, Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("192.0.2.1", "192.0.2.1", true)]
    #[case("192.0.2.1", "192.0.2.2", false)]
    #[case("192.0.2.1", "::ffff:192.0.2.1", true)]
    #[case("2001:db8::1", "2001:db8::ffff:0:0:1", true)]
    #[case("2001:db8::1", "2001:db8:0:1::1", false)]
    #[case("", "nonsense", true)]
    #[case("", "::", false)]
    fn addresses_of_one_network(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        assert_eq!(Network::of_text(one) == Network::of_text(other), same);
    }
}
