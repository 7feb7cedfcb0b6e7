//! Money and token counts. Integers only: a budget that rounds is no budget.

use serde::{Deserialize, Serialize};

/// US dollars in millionths.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroUsd(pub i64);

impl MicroUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum; saturates.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; saturates.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// As a decimal number of dollars, for JSON answers only.
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown to people; 2^53 micro-dollars is nine billion"
    )]
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }
}

/// What an attempt has cost or may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spend {
    /// Money.
    #[serde(default)]
    pub cost: MicroUsd,
    /// Model tokens, in and out together.
    #[serde(default)]
    pub tokens: u64,
}

impl Spend {
    /// Nothing.
    pub const ZERO: Self = Self { cost: MicroUsd::ZERO, tokens: 0 };

    /// Both sums.
    pub fn plus(self, other: Self) -> Self {
        Self { cost: self.cost.plus(other.cost), tokens: self.tokens.saturating_add(other.tokens) }
    }

    /// Both differences, not below zero for tokens.
    pub fn minus(self, other: Self) -> Self {
        Self { cost: self.cost.minus(other.cost), tokens: self.tokens.saturating_sub(other.tokens) }
    }

    /// Whether nothing was spent.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

/// An upper limit for a [`Spend`]; `None` does not limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Budget {
    /// Money, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<MicroUsd>,
    /// Model tokens, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

impl Budget {
    /// The tighter of two limits, in each of what they limit.
    pub fn tighter(self, other: Self) -> Self {
        Self {
            cost: self.cost.into_iter().chain(other.cost).min(),
            tokens: self.tokens.into_iter().chain(other.tokens).min(),
        }
    }

    /// Whether `spend` stays within this limit.
    pub fn allows(&self, spend: Spend) -> bool {
        self.cost.is_none_or(|max| spend.cost <= max)
            && self.tokens.is_none_or(|max| spend.tokens <= max)
    }
}
