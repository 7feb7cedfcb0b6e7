#![doc = include_str!("../README.md")]

pub mod model;
pub mod media;
pub mod error;
pub mod breaker;
pub mod profiles;
pub mod registry;
pub mod pace;
pub mod ledger;
pub mod scripted;
pub mod wire;
pub mod egress;
pub mod signing;
pub mod callbacks;

pub use breaker::{Breaker, Circuit};
pub use error::{CallFailure, Outcome};
pub use media::{
    MediaJob, MediaKind, MediaProvider, MediaRequest, MediaResult, MediaStatus, Submitted,
};
pub use model::{DeltaSink, ModelAnswer, ModelProvider, ModelRequest, NoDeltas};
pub use pace::Sleeper;
pub use profiles::{ModelProfile, Price, Profiles, Structured, Unpriced};
pub use registry::{Providers, ResolveFault, Resolved};
pub use secrecy::SecretString;
pub use wire::{Endpoint, EndpointFault, Http, HttpOptions, LiveModel, Wire};

use serde::{Deserialize, Serialize};

/// How real a provider is. Shown wherever something comes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The shipped double: nothing outside is asked, everything is simulated.
    Scripted,
    /// Really made, on this machine.
    Local,
    /// A vendor is asked and paid.
    Live,
}

/// What can be done about a call whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallSafety {
    /// The same key may be sent again: it is billed once and answered the same.
    Idempotent,
    /// The provider can be asked what became of a key.
    LookUp,
    /// Neither: a person has to be asked.
    Neither,
}

/// What a provider knows about a key.
#[derive(Clone, Debug, PartialEq)]
pub enum LookUp<T> {
    /// It was done; this is the result.
    Found(T),
    /// The provider knows that it never got it, or refused it: sending it is safe.
    Denied,
    /// The provider cannot say; sending it again might pay twice.
    CannotSay,
}
