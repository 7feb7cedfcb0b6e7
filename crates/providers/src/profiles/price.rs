//! What tokens cost.

use serde::{Deserialize, Serialize};
use showrunner_engine::money::MicroUsd;
use showrunner_engine::turn::Usage;

/// Micro-dollars per million tokens, which is the same number as dollars per million million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// For a million tokens read.
    pub input: u64,
    /// For a million tokens written.
    pub output: u64,
    /// For a million tokens read from the vendor's cache.
    #[serde(default)]
    pub cached_input: u64,
    /// For a million tokens read and written to the vendor's cache; as `input` when absent.
    #[serde(default)]
    pub cache_write: Option<u64>,
    /// What a call with a longer prompt costs, all of it.
    #[serde(default)]
    pub long: Option<LongPrice>,
}

/// The price of a call whose prompt is longer than `over` tokens, cached ones included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongPrice {
    /// Up to here the usual price holds.
    pub over: u64,
    /// As [`Price::input`].
    pub input: u64,
    /// As [`Price::output`].
    pub output: u64,
    /// As [`Price::cached_input`].
    #[serde(default)]
    pub cached_input: u64,
    /// As [`Price::cache_write`].
    #[serde(default)]
    pub cache_write: Option<u64>,
}

/// Tokens by what is asked for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Read at full price.
    pub input: u64,
    /// Read from the vendor's cache.
    pub cached: u64,
    /// Read, and kept in the vendor's cache.
    pub cache_written: u64,
    /// Written, thinking included.
    pub output: u64,
}

impl Tokens {
    /// As a call is recorded: what went into the cache was read all the same.
    pub fn usage(self) -> Usage {
        Usage {
            input_tokens: self.input.saturating_add(self.cache_written),
            output_tokens: self.output,
            cached_tokens: self.cached,
        }
    }
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input_tokens,
            cached: usage.cached_tokens,
            cache_written: 0,
            output: usage.output_tokens,
        }
    }
}

impl Price {
    /// Nothing, for what runs on a machine of one's own.
    pub const FREE: Self =
        Self { input: 0, output: 0, cached_input: 0, cache_write: None, long: None };

    /// What these tokens cost, rounded up to a whole micro-dollar.
    pub fn cost(&self, tokens: impl Into<Tokens>) -> MicroUsd {
        let tokens = tokens.into();
        let prompt =
            tokens.input.saturating_add(tokens.cached).saturating_add(tokens.cache_written);
        let (input, output, cached, written) = match self.long {
            Some(long) if prompt > long.over => {
                (long.input, long.output, long.cached_input, long.cache_write)
            },
            _ => (self.input, self.output, self.cached_input, self.cache_write),
        };
        // Four products of 64 bits each fit into 130, so the sum is the only place to saturate.
        let total = [
            (tokens.input, input),
            (tokens.output, output),
            (tokens.cached, cached),
            (tokens.cache_written, written.unwrap_or(input)),
        ]
        .into_iter()
        .fold(0_u128, |sum, (count, price)| {
            sum.saturating_add(u128::from(count) * u128::from(price))
        });
        MicroUsd(i64::try_from(total.div_ceil(1_000_000)).unwrap_or(i64::MAX))
    }

    /// The most that a call can cost which reads at most `input` tokens and writes at most
    /// `output`: a vendor may cache what it reads without being asked, at a price of its own.
    pub fn ceiling(&self, input: u64, output: u64) -> MicroUsd {
        let read = Tokens { input, output, ..Tokens::default() };
        let kept = Tokens { cache_written: input, output, ..Tokens::default() };
        self.cost(read).max(self.cost(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price {
        input: 3_000_000,
        output: 15_000_000,
        cached_input: 300_000,
        cache_write: Some(3_750_000),
        long: Some(LongPrice {
            over: 1_000,
            input: 6_000_000,
            output: 22_500_000,
            cached_input: 600_000,
            cache_write: None,
        }),
    };

    fn tokens(input: u64, cached: u64, cache_written: u64, output: u64) -> Tokens {
        Tokens { input, cached, cache_written, output }
    }

    #[test]
    fn cost_is_whole_micro_dollars_rounded_up() {
        for (tokens, cost) in [
            (tokens(0, 0, 0, 0), 0),
            (tokens(1_000, 0, 0, 200), 6_000),
            (tokens(0, 1, 0, 0), 1),
            (tokens(0, 0, 100, 0), 375),
            (tokens(1, 1, 1, 1), 23), // 3 + 0.3 + 3.75 + 15 = 22.05
            (tokens(u64::MAX, 0, 0, u64::MAX), i64::MAX),
        ] {
            assert_eq!(PRICE.cost(tokens), MicroUsd(cost), "{tokens:?}");
        }
    }

    #[test]
    fn a_long_prompt_has_its_own_price_for_all_of_it() {
        assert_eq!(PRICE.cost(tokens(999, 1, 0, 0)), MicroUsd(2_998)); // 2997.3, rounded up
        assert_eq!(PRICE.cost(tokens(1_000, 1, 0, 2)), MicroUsd(6_046)); // 6000 + 0.6 + 45
        // Without a price for keeping, what is kept costs what is read.
        assert_eq!(PRICE.cost(tokens(0, 0, 2_000, 0)), MicroUsd(12_000));
    }

    #[test]
    fn the_ceiling_is_above_whatever_the_vendor_does_with_its_cache() {
        for input in [0, 1, 700, 1_000, 1_001, 5_000] {
            let most = PRICE.ceiling(input, 50);
            for kept in [0, input / 3, input] {
                for cached in [0, (input - kept) / 2, input - kept] {
                    let cost = PRICE.cost(tokens(input - kept - cached, cached, kept, 50));
                    assert!(cost <= most, "{input} {kept} {cached}: {cost:?} > {most:?}");
                }
            }
        }
        assert_eq!(Price::FREE.ceiling(u64::MAX, u64::MAX), MicroUsd(0));
    }
}
