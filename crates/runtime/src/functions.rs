//! Where functions of authors run, what they may see, and whom they may ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use showrunner_sandbox::{Fetch, Pool};

/// Where functions run. Cheap to clone.
#[derive(Clone)]
pub struct Functions {
    pool: Pool,
    fetch: Arc<dyn Fetch>,
    env: Arc<BTreeMap<String, String>>,
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are secrets.
        let names: Vec<&String> = self.env.keys().collect();
        let Self { pool, fetch, .. } = self;
        f.debug_struct("Functions")
            .field("pool", pool)
            .field("fetch", fetch)
            .field("env", &names)
            .finish()
    }
}

impl Functions {
    /// Functions run in `pool`, ask by `fetch`, and see those of the operator's variables `env`
    /// that their agents name.
    pub fn new(pool: Pool, fetch: Arc<dyn Fetch>, env: BTreeMap<String, String>) -> Self {
        Self { pool, fetch, env: Arc::new(env) }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn fetch(&self) -> &dyn Fetch {
        &*self.fetch
    }

    /// What a function sees that wants these: the names that the operator allowed.
    pub(crate) fn env(&self, wanted: &[String]) -> BTreeMap<String, String> {
        let allowed = wanted.iter().filter_map(|name| self.env.get_key_value(name));
        allowed.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The bottleneck before the pool: whoever waits, waits there, in turns between organisations.
    pub(crate) fn gate(&self) -> (Arc<str>, u32) {
        ("sandbox".into(), u32::try_from(self.pool.places()).unwrap_or(u32::MAX))
    }
}
