//! A small seeded generator, so that the same specification draws the same picture for ever.

/// SplitMix64: no state beyond a counter, the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator for one topic: drawing more of one thing does not change another.
    pub(crate) fn fork(&self, topic: &str) -> Self {
        Self(self.0 ^ hash(topic.as_bytes(), 0))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 ≤ x < 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    pub(crate) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(1).max(1);
        usize::try_from(self.next() % n).unwrap_or(0)
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `items`, which must not be empty; the fallback is there for the type only.
    pub(crate) fn pick<T: Clone>(&mut self, items: &[T], fallback: T) -> T {
        items.get(self.below(items.len())).cloned().unwrap_or(fallback)
    }
}

/// FNV-1a with a starting value, to fold several texts into one seed.
pub(crate) fn hash(bytes: &[u8], start: u64) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325 ^ start.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for byte in bytes {
        h = (h ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    h
}
