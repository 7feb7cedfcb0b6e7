//! Where a vendor's interface is, and with which key.

use reqwest::Url;
use secrecy::SecretString;

/// A protocol that models are called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Anthropic Messages: `POST {base}/v1/messages`.
    Anthropic,
    /// OpenAI chat completions, and all who speak it: `POST {base}/chat/completions`.
    OpenAi,
    /// Google Gemini: `POST {base}/v1beta/models/{model}:streamGenerateContent`.
    Google,
}

impl Wire {
    /// Where the vendor itself answers.
    pub fn home(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Google => "https://generativelanguage.googleapis.com",
        }
    }
}

/// An address that speaks a protocol, with the key for it. Its `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct Endpoint {
    name: String,
    wire: Wire,
    base: Url,
    key: Option<SecretString>,
    is_free: bool,
    is_own: bool,
}

/// An address that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointFault {
    /// No address.
    #[error("`{base}` is no address of an interface: {why}; write http://host:port/path")]
    Malformed {
        /// As written.
        base: String,
        /// What is wrong.
        why: String,
    },
    /// A key would travel readable.
    #[error("{base} would be sent the key in the clear; use https, or an address of this machine")]
    KeyInTheClear {
        /// As written.
        base: String,
    },
}

impl Endpoint {
    /// The interface at `base`, called `name`, which may ask for a key.
    pub fn new(
        name: impl Into<String>,
        wire: Wire,
        base: &str,
        key: Option<SecretString>,
    ) -> Result<Self, EndpointFault> {
        let url = read_base(base, key.is_some())?;
        Ok(Self { name: name.into(), wire, base: url, key, is_free: false, is_own: false })
    }

    /// Declares that calls cost nothing here, as with a server of one's own.
    pub fn free(self) -> Self {
        Self { is_free: true, is_own: true, ..self }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which protocol it speaks.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// Whether calls cost nothing.
    pub fn is_free(&self) -> bool {
        self.is_free
    }

    /// Whether it is a server of one's own rather than a vendor.
    pub(super) fn is_own(&self) -> bool {
        self.is_own
    }

    pub(super) fn key(&self) -> Option<&SecretString> {
        self.key.as_ref()
    }

    /// Where a call of `model` goes, and the header that carries the key, with what stands before
    /// it.
    pub(super) fn address(&self, model: &str) -> (Url, (&'static str, &'static str)) {
        let mut url = self.base.clone();
        let (path, header) = match self.wire {
            Wire::Anthropic => (vec!["v1", "messages"], ("x-api-key", "")),
            Wire::OpenAi => (vec!["chat", "completions"], ("authorization", "Bearer ")),
            Wire::Google => (vec!["v1beta", "models"], ("x-goog-api-key", "")),
        };
        // An address with a host can always be added to.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
            if self.wire == Wire::Google {
                segments.push(&format!("{model}:streamGenerateContent"));
            }
        }
        if self.wire == Wire::Google {
            url.set_query(Some("alt=sse"));
        }
        (url, header)
    }
}

/// An address that may be called, with a key if need be.
pub(super) fn read_base(base: &str, has_key: bool) -> Result<Url, EndpointFault> {
    let malformed =
        |why: &str| EndpointFault::Malformed { base: base.to_owned(), why: why.to_owned() };
    let url = Url::parse(base.trim()).map_err(|error| malformed(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(malformed("it does not begin with http:// or https:// and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Not shown: it holds a password.
        let base = url.host_str().unwrap_or_default().to_owned();
        let why = "a name or password in an address ends up in logs".to_owned();
        return Err(EndpointFault::Malformed { base, why });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(malformed("it goes on after the path"));
    }
    if has_key && url.scheme() == "http" && !is_this_machine(&url) {
        return Err(EndpointFault::KeyInTheClear { base: base.to_owned() });
    }
    Ok(url)
}

/// Whether the address is one of this machine by its very form.
fn is_this_machine(url: &Url) -> bool {
    match url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']')) {
        Some("localhost") => true,
        Some(host) => host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(wire: Wire, base: &str) -> Result<Endpoint, EndpointFault> {
        Endpoint::new("vendor", wire, base, Some(SecretString::from("sk-hush")))
    }

    #[test]
    fn each_protocol_has_its_path_below_any_base() {
        let at = |wire, base: &str| endpoint(wire, base).unwrap().address("m-1/x").0.to_string();
        let messages = "https://api.anthropic.com/v1/messages";
        assert_eq!(at(Wire::Anthropic, Wire::Anthropic.home()), messages);
        assert_eq!(
            at(Wire::OpenAi, "http://127.0.0.1:11434/v1/"),
            "http://127.0.0.1:11434/v1/chat/completions"
        );
        assert_eq!(
            at(Wire::Google, Wire::Google.home()),
            "https://generativelanguage.googleapis.com/v1beta/models/m-1%2Fx:streamGenerateContent?alt=sse"
        );
    }

    #[test]
    fn addresses_that_are_none_or_would_tell_the_key_are_refused() {
        for base in ["", "localhost:1234", "ftp://a", "http://a/?k=1", "https://", "https://a/#x"] {
            let fault = endpoint(Wire::OpenAi, base).unwrap_err();
            assert!(matches!(fault, EndpointFault::Malformed { .. }), "{base}: {fault}");
        }
        let fault = endpoint(Wire::OpenAi, "https://me:hush@host/v1").unwrap_err().to_string();
        assert!(!fault.contains("hush"), "{fault}");
        let fault = endpoint(Wire::OpenAi, "http://models.example/v1").unwrap_err();
        assert!(matches!(fault, EndpointFault::KeyInTheClear { .. }));
        for base in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1/v1"] {
            endpoint(Wire::OpenAi, base).unwrap();
        }
        Endpoint::new("ollama", Wire::OpenAi, "http://models.example/v1", None).unwrap();
    }

    #[test]
    fn a_key_is_not_shown() {
        let shown = format!("{:?}", endpoint(Wire::Anthropic, "https://a.example").unwrap());
        assert!(!shown.contains("hush"), "{shown}");
    }
}
