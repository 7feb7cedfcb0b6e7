//! Where a name leads, asked and judged at the moment of connecting: the addresses that are
//! judged are the addresses that are connected to.

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::rules::Rules;
use super::{Refused, Rule};

/// As many addresses of a name are tried.
const ADDRESSES_MAX: usize = 8;

/// Somebody who knows where names lead.
#[async_trait]
pub trait Names: Debug + Send + Sync {
    /// The addresses of a name.
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Tells the connector only addresses that may be connected to.
#[derive(Clone, Debug)]
pub(super) struct Vetted {
    pub(super) names: Arc<dyn Names>,
    pub(super) rules: Arc<Rules>,
}

impl Vetted {
    /// The addresses of a name. One that is not public spoils all of them: who mixes them means
    /// no good.
    pub(super) async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, LookUpFault> {
        let mut found = self.names.look_up(name).await?;
        found.truncate(ADDRESSES_MAX);
        if found.is_empty() {
            return Err(LookUpFault::Io(io::Error::other("the name has no address")));
        }
        for &ip in &found {
            if let Some(what) = self.rules.objection(name, ip) {
                return Err(LookUpFault::Refused(Refused {
                    rule: Rule::Address,
                    place: name.to_owned(),
                    detail: format!("it leads to {ip}, which is not a public address: {what}"),
                }));
            }
        }
        Ok(found)
    }
}

/// Why there is no address.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookUpFault {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        let vetted = self.clone();
        Box::pin(async move {
            match vetted.look_up(name.as_str()).await {
                Ok(found) => {
                    let addresses = found.into_iter().map(|ip| SocketAddr::new(ip, 0));
                    Ok(Box::new(addresses) as Addrs)
                },
                Err(LookUpFault::Refused(refused)) => Err(refused.into()),
                Err(LookUpFault::Io(fault)) => Err(fault.into()),
            }
        })
    }
}
