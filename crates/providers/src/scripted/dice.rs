//! Repeatable choices: a seed in, the same throws out, on every machine.

/// A stream of choices.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// The stream of this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream that depends on this one's seed and on a label, not on what was thrown before.
    pub(super) fn of(seed: u64, label: &str) -> Self {
        Self::new(mixed(seed, label))
    }

    /// 64 bits (SplitMix64).
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `count`; 0 when there is nothing to choose from.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.bits() % count).unwrap_or(0)
    }

    /// A whole number from `low` to `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        let width = high.saturating_sub(low).saturating_add(1).max(1);
        low + self.bits() % width
    }

    /// Thousandths of one.
    pub(super) fn permille(&mut self) -> u32 {
        u32::try_from(self.bits() % 1000).unwrap_or(0)
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len());
        from.get(at)
    }
}

/// A seed made from another and some text (FNV-1a over the text, then mixed).
pub(super) fn mixed(seed: u64, text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    Dice::new(hash).bits()
}
