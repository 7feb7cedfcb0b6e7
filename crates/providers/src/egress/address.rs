//! Which addresses are public: the registries of special addresses, as code.
//!
//! Sources: IANA "IPv4 Special-Purpose Address Registry" and "IPv6 Special-Purpose Address
//! Registry" (RFC 6890 and its updates), IANA "IPv6 Global Unicast Address Assignments" (only
//! 2000::/3 is given out), and the documentation of the clouds for their metadata services.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of IPv4 addresses: its first address, the length of its prefix, what it is.
type Block4 = (Ipv4Addr, u32, &'static str);
/// A block of IPv6 addresses, likewise.
type Block6 = (Ipv6Addr, u32, &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const BLOCKS_4: &[Block4] = &[
    (v4(0, 0, 0, 0), 8, "this network (RFC 791)"),
    (v4(10, 0, 0, 0), 8, "private (RFC 1918)"),
    (v4(100, 64, 0, 0), 10, "shared by a provider's customers (RFC 6598)"),
    (v4(127, 0, 0, 0), 8, "this machine (RFC 1122)"),
    (v4(169, 254, 0, 0), 16, "link-local, where clouds keep credentials (RFC 3927)"),
    (v4(172, 16, 0, 0), 12, "private (RFC 1918)"),
    (v4(192, 0, 0, 0), 24, "reserved for protocols (RFC 6890)"),
    (v4(192, 0, 2, 0), 24, "for documentation (RFC 5737)"),
    (v4(192, 88, 99, 0), 24, "a relay of 6to4 (RFC 7526)"),
    (v4(192, 168, 0, 0), 16, "private (RFC 1918)"),
    (v4(198, 18, 0, 0), 15, "for measuring (RFC 2544)"),
    (v4(198, 51, 100, 0), 24, "for documentation (RFC 5737)"),
    (v4(203, 0, 113, 0), 24, "for documentation (RFC 5737)"),
    (v4(224, 0, 0, 0), 4, "multicast (RFC 5771)"),
    (v4(240, 0, 0, 0), 4, "reserved (RFC 1112)"),
    // A public address that every machine of one cloud can reach and that speaks for the cloud.
    (v4(168, 63, 129, 16), 32, "a cloud's own service (Azure)"),
];

const fn v6(a: u16, b: u16, c: u16, d: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

/// Forms with an IPv4 address inside come first, so that the reason names them.
const BLOCKS_6: &[Block6] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "no address (RFC 4291)"),
    (Ipv6Addr::LOCALHOST, 128, "this machine (RFC 4291)"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "an IPv4 address in disguise (RFC 4291)"),
    (v6(0, 0, 0, 0), 96, "an IPv4 address in disguise (RFC 4291)"),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, "an IPv4 address in disguise (RFC 2765)"),
    (v6(0x64, 0xff9b, 0, 0), 96, "an IPv4 address in disguise (NAT64, RFC 6052)"),
    (v6(0x64, 0xff9b, 1, 0), 48, "an IPv4 address in disguise (NAT64, RFC 8215)"),
    (v6(0x2002, 0, 0, 0), 16, "an IPv4 address in disguise (6to4, RFC 3056)"),
    (v6(0x2001, 0, 0, 0), 23, "reserved for protocols, Teredo among them (RFC 2928)"),
    (v6(0x2001, 0xdb8, 0, 0), 32, "for documentation (RFC 3849)"),
    (v6(0x3fff, 0, 0, 0), 20, "for documentation (RFC 9637)"),
    (v6(0xfc00, 0, 0, 0), 7, "private (RFC 4193)"),
    (v6(0xfe80, 0, 0, 0), 10, "link-local (RFC 4291)"),
    (v6(0xfec0, 0, 0, 0), 10, "private, as it once was (RFC 3879)"),
    (v6(0xff00, 0, 0, 0), 8, "multicast (RFC 4291)"),
];

/// All that is given out for the public internet.
const GLOBAL_6: Block6 = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, "");

fn holds_4((first, length, _): &Block4, ip: Ipv4Addr) -> bool {
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    ip.to_bits() & mask == first.to_bits()
}

fn holds_6((first, length, _): &Block6, ip: Ipv6Addr) -> bool {
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    ip.to_bits() & mask == first.to_bits()
}

/// What an address is when it is not a public one; `None` for those that anybody may have.
pub fn special(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => BLOCKS_4.iter().find(|block| holds_4(block, ip)).map(|block| block.2),
        IpAddr::V6(ip) => {
            let named = BLOCKS_6.iter().find(|block| holds_6(block, ip)).map(|block| block.2);
            let tunnel = is_isatap(ip).then_some("an IPv4 address in disguise (ISATAP, RFC 5214)");
            let other = (!holds_6(&GLOBAL_6, ip)).then_some("not given out to anybody");
            named.or(tunnel).or(other)
        },
    }
}

/// The last 64 bits are `[02]00:5efe:` and an IPv4 address.
fn is_isatap(ip: Ipv6Addr) -> bool {
    let [.., high, marker, _, _] = ip.segments();
    marker == 0x5efe && matches!(high, 0 | 0x200)
}

/// What stays refused even behind a name that the operator allows: addresses that no server of
/// one's own has, and those where clouds keep credentials.
pub fn never(ip: IpAddr) -> Option<&'static str> {
    let own = |ip: Ipv4Addr| {
        ip.is_loopback() || ip.is_private() || holds_4(&(v4(100, 64, 0, 0), 10, ""), ip)
    };
    let is_own = match ip {
        IpAddr::V4(ip) => own(ip),
        // The metadata service of one cloud lies among the private addresses.
        IpAddr::V6(ip) => {
            let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            ip.is_loopback() || (ip.is_unique_local() && ip != metadata)
        },
    };
    // In the shared block lies the metadata service of another.
    let is_metadata = ip == IpAddr::V4(v4(100, 100, 100, 200));
    if is_own && !is_metadata { None } else { special(ip) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_where_they_end() {
        let edges = [
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("100.63.255.255", false),
            ("100.64.0.0", true),
            ("100.127.255.255", true),
            ("100.128.0.0", false),
            ("126.255.255.255", false),
            ("127.0.0.0", true),
            ("128.0.0.0", false),
            ("169.253.255.255", false),
            ("169.254.169.254", true),
            ("169.255.0.0", false),
            ("172.15.255.255", false),
            ("172.16.0.0", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("192.0.1.0", false),
            ("192.167.255.255", false),
            ("192.168.0.0", true),
            ("192.169.0.0", false),
            ("198.17.255.255", false),
            ("198.19.255.255", true),
            ("198.20.0.0", false),
            ("223.255.255.255", false),
            ("224.0.0.0", true),
            ("255.255.255.255", true),
            ("168.63.129.15", false),
            ("168.63.129.16", true),
            ("1.1.1.1", false),
            ("2001:4860:4860::8888", false),
            ("2001:1ff:ffff::", true),
            ("2001:200::1", false),
            ("2003::1", false),
            ("3fff:fff::1", true),
            ("3fff:1000::1", false),
            ("4000::1", true),
            ("fbff::1", true),
            ("2a00:1450::5efe:10.0.0.1", true),
        ];
        for (text, is_special) in edges {
            assert_eq!(special(text.parse().unwrap()).is_some(), is_special, "{text}");
        }
    }

    #[test]
    fn a_name_of_ones_own_never_leads_to_credentials() {
        for own in ["127.0.0.1", "10.1.2.3", "192.168.0.9", "172.20.0.2", "100.64.1.1", "fd12::1"] {
            assert_eq!(never(own.parse().unwrap()), None, "{own}");
        }
        let refused =
            ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "::"];
        for other in refused {
            assert!(never(other.parse().unwrap()).is_some(), "{other}");
        }
        assert_eq!(never("8.8.8.8".parse().unwrap()), None, "public ones are as ever");
    }
}
