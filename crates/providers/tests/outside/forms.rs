//! How attackers write addresses: every form that a parser somewhere has been fooled by.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use async_trait::async_trait;
use showrunner_providers::egress::{Names, Rule};

/// One address out of every block that is not public.
const PRIVATE_4: &[[u8; 4]] = &[
    [127, 0, 0, 1],
    [127, 255, 255, 254],
    [10, 0, 0, 1],
    [172, 16, 0, 1],
    [172, 31, 255, 255],
    [192, 168, 1, 1],
    [169, 254, 169, 254],
    [169, 254, 170, 2],
    [100, 64, 0, 1],
    [100, 100, 100, 200],
    [0, 0, 0, 0],
    [0, 1, 2, 3],
    [192, 0, 0, 192],
    [198, 18, 0, 1],
    [224, 0, 0, 1],
    [239, 255, 255, 250],
    [240, 0, 0, 1],
    [255, 255, 255, 255],
    [168, 63, 129, 16],
];

/// Hosts that are wrong in themselves.
const PRIVATE_6: &[&str] = &[
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "0000:0000:0000:0000:0000:0000:0000:0001",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "2001:10::1",
    "2001:20::1",
    "3fff::1",
    "5f00::1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::a00:1",
    "2002:808:808::1",
    "::8.8.8.8",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
    "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::200:5efe:10.0.0.1",
];

/// Names, and where they lead.
const NAMES: &[(&str, &str)] = &[
    ("example.com", "93.184.215.14"),
    ("six.example.com", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"),
    ("private.example.com", "10.0.0.5"),
    ("loop.example.com", "127.0.0.1"),
    ("metadata.google.internal", "169.254.169.254"),
    ("instance-data", "169.254.169.254"),
    ("n8n", "172.18.0.3"),
    ("printer.local", "192.168.1.20"),
    ("six-private.example.com", "fd12:3456::1"),
    ("six-mapped.example.com", "::ffff:127.0.0.1"),
    ("six-nat.example.com", "64:ff9b::7f00:1"),
    ("cgnat.example.com", "100.64.9.9"),
    ("zero.example.com", "0.0.0.0"),
    ("127.0.0.1.nip.example", "127.0.0.1"),
    ("xn--e1afmkfd.example", "10.9.8.7"),
    ("xn--r8jz45g.example", "192.168.0.1"),
    ("broadcast.example.com", "255.255.255.255"),
];

#[derive(Debug)]
struct Known;

#[async_trait]
impl Names for Known {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let plain = name.trim_end_matches('.').to_ascii_lowercase();
        let found = NAMES.iter().find(|(known, _)| *known == plain);
        // What nobody has heard of leads to this machine: an attacker's server answers so.
        Ok(vec![found.map_or("127.0.0.1", |(_, ip)| ip).parse().unwrap()])
    }
}

pub(crate) fn names() -> Arc<dyn Names> {
    Arc::new(Known)
}

/// Every form, none of which may get through.
pub(crate) fn hostile() -> Vec<String> {
    let mut urls: Vec<String> = ODD.iter().map(ToString::to_string).collect();
    for &[a, b, c, d] in PRIVATE_4 {
        let ip = Ipv4Addr::new(a, b, c, d);
        let whole = u32::from(ip);
        let low = (u32::from(c) << 8) | u32::from(d);
        let lower = (u32::from(b) << 16) | low;
        let hosts = [
            ip.to_string(),
            format!("{ip}."),
            whole.to_string(),
            format!("0x{whole:x}"),
            format!("0X{whole:X}"),
            format!("0{whole:o}"),
            format!("000000000000{whole:o}"),
            format!("{a}.{lower}"),
            format!("{a}.{b}.{low}"),
            format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
            format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            format!("00{a:o}.0x{b:x}.{c}.{d}"),
            format!("%{:x}{}", ip.to_string().as_bytes()[0], &ip.to_string()[1..]),
            format!("{a}%2e{b}%2E{c}%2e{d}"),
            format!("{a}\u{3002}{b}\u{ff0e}{c}\u{ff61}{d}"),
            wide(&ip.to_string()),
            format!("[::ffff:{ip}]"),
            format!("[::ffff:{:x}:{:x}]", whole >> 16, whole & 0xffff),
            format!("[0:0:0:0:0:ffff:{ip}]"),
            format!("[::{:x}:{:x}]", whole >> 16, whole & 0xffff),
            format!("[64:ff9b::{ip}]"),
            format!("[2002:{:x}:{:x}::1]", whole >> 16, whole & 0xffff),
            format!("[::ffff:0:{ip}]"),
        ];
        urls.extend(hosts.iter().map(|host| format!("http://{host}/latest/meta-data")));
    }
    urls.extend(PRIVATE_6.iter().map(|ip| format!("https://[{ip}]/")));
    urls.extend(PRIVATE_6.iter().map(|ip| format!("http://[{}]:80/", ip.to_uppercase())));
    let names =
        NAMES.iter().filter(|(name, _)| !matches!(*name, "example.com" | "six.example.com"));
    for (name, _) in names {
        urls.extend([
            format!("http://{name}/"),
            format!("https://{name}./"),
            format!("HTTP://{}/?q", name.to_uppercase()),
        ]);
    }
    urls
}

/// In the wide digits of Japanese texts, which become ours when a name is read.
fn wide(text: &str) -> String {
    let wide = |c: char| {
        let code = u32::from(c);
        char::from_u32(if c.is_ascii_digit() { code + 0xfee0 } else { code }).unwrap()
    };
    text.chars().map(wide).collect()
}

const ODD: &[&str] = &[
    "",
    "/",
    "http",
    "http:",
    "http:/",
    "http://",
    "http:///",
    "http://?",
    "http://#",
    "http:127.0.0.1",
    "http:/127.0.0.1/",
    "http:///127.0.0.1/",
    "http:////127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1\\@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://example.com%40127.0.0.1/",
    "http://@127.0.0.1/",
    "http://:@127.0.0.1/",
    "http://user@example.com/",
    "http://user:pass@example.com/",
    "http://:pass@example.com/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1?@example.com/",
    "http://127.0.0.1:80#@example.com:80/",
    "http://127.0.0.1;example.com/",
    "http://[::1",
    "http://::1/",
    "http://[::1%25lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[127.0.0.1]/",
    "http://[::ffff:127.1]/",
    "http://[[::1]]/",
    "http://[]/",
    "http://[::1]example.com/",
    "http://[v1.fe80::1]/",
    "http://127.0.0.1.1/",
    "http://256.256.256.256/",
    "http://4294967296/",
    "http://0x100000000/",
    "http://08.8.8.8/",
    "http://1.2.3.4.5/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0x/",
    "http://00/",
    "http://127.0.0.1:99999/",
    "http://example.com:99999/",
    "http://example.com:-1/",
    "http://example.com:0/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:3306/",
    "http://example.com:5432/",
    "http://example.com:6379/",
    "http://example.com:8080/",
    "http://example.com:65535/",
    "https://example.com:11211/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://localhost../",
    "http://a.localhost/",
    "http://a.b.localhost./",
    "http://loc%61lhost/",
    "http://\u{24db}\u{24de}\u{24d2}\u{24d0}\u{24db}\u{24d7}\u{24de}\u{24e2}\u{24e3}/",
    "http://\u{2460}\u{2461}\u{2466}.0.0.1/",
    "http://127.0.0.\u{2460}/",
    "http://l\u{ad}ocalhost/",
    "http://local\u{200b}host/",
    "http://exa mple.com/",
    "http://example.com /",
    " http://example.com/",
    "http://example.com/\n",
    "http://exam\tple.com/",
    "http://exam\nple.com/",
    "http://example.com/\r\nX-Evil: 1",
    "http://example.com/\u{0}",
    "http://127.0.0.1%00.example.com/",
    "http://example.com%0a127.0.0.1/",
    "http://%31%32%37%2e%30%2e%30%2e%31/",
    "http://%00/",
    "http://%zz/",
    "http://example.com%2f@127.0.0.1/",
    "http://example.com%3a80/",
    "http://ex<ample.com/",
    "http://ex|ample.com/",
    "http://ex^ample.com/",
    "http://../",
    "http://./",
    "http://xn--/",
    "http://xn--a/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "file://example.com/etc/passwd",
    "FILE:///etc/passwd",
    "gopher://example.com:70/_x",
    "dict://example.com:11211/stat",
    "ldap://example.com/",
    "ws://example.com/",
    "wss://example.com/",
    "sftp://example.com/",
    "tftp://example.com/",
    "jar:http://example.com!/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "about:blank",
    "blob:https://example.com/1",
    "view-source:http://example.com/",
    "unix:///var/run/docker.sock",
    "http+unix://%2fvar%2frun%2fdocker.sock/",
    "netdoc:///etc/passwd",
    "mailto:a@example.com",
    "//example.com/",
    "example.com",
    "example.com/path",
    "127.0.0.1",
    "localhost:80",
    "httpx://example.com/",
    "h\u{74}tp\u{200b}://example.com/",
    "\u{feff}http://example.com/",
    "url:http://example.com/",
    "1http://example.com/",
    "://example.com/",
    ":",
];

/// Which rule each breaks.
pub(crate) const RULES: &[(&str, Rule)] = &[
    ("example.com", Rule::Syntax),
    ("http:example.com", Rule::Syntax),
    ("http://exa mple.com/hush", Rule::Syntax),
    ("ftp://example.com/hush", Rule::Scheme),
    ("file:///hush", Rule::Scheme),
    ("https://hush@example.com/", Rule::Credentials),
    ("https://a:hush@example.com/", Rule::Credentials),
    ("http://localhost/hush", Rule::Name),
    ("http://app.localhost/?hush", Rule::Name),
    ("http://example.com:22/hush", Rule::Port),
    ("http://127.0.0.1/hush", Rule::Address),
    ("http://2130706433/hush", Rule::Address),
    ("http://[::ffff:169.254.169.254]/?hush", Rule::Address),
    ("https://private.example.com/hush", Rule::Address),
    ("https://metadata.google.internal/hush", Rule::Address),
];

/// What passes.
pub(crate) const PLAIN: &[&str] = &[
    "https://example.com",
    "https://example.com/",
    "HTTPS://EXAMPLE.com/Path?q=1&r=%2f#part",
    "http://example.com:80/",
    "https://example.com:443/",
    "http://example.com:443/",
    "https://example.com./",
    "https://six.example.com/",
    "https://93.184.215.14/",
    "https://1.1.1.1/",
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    "https://example.com/?u=http://127.0.0.1/",
    "https://example.com/a@b",
];
