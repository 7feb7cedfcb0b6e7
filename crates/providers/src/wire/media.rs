//! Live vendors of pictures, films and voices. What differs between them is in one file each; what
//! is the same is here and below: how an order is read ([`order`]), how a vendor is asked
//! ([`line`]), how a result is fetched and looked at ([`file`]), and who stands for the names that
//! people know ([`alias`]).
//!
//! An order is sent once. Whatever is not certain says so ([`crate::Outcome::Unknown`]): vendors
//! bill by themselves.

pub mod alias;
mod elevenlabs;
mod fal;
mod file;
mod line;
mod openai;
mod order;

use std::sync::Arc;

use secrecy::SecretString;

use super::Http;
use crate::egress::Egress;
use crate::pace::Sleeper;

pub use elevenlabs::ElevenLabs;
pub use fal::{Fal, FalModels};
pub use line::Line;
pub use openai::OpenAiImages;

/// What all drivers of media are given.
#[derive(Clone, Debug)]
pub struct Outside {
    /// For the vendors' own interfaces.
    pub http: Http,
    /// For the addresses of results, which a vendor names.
    pub egress: Egress,
    /// Reads dates in answers.
    pub clock: Arc<dyn Sleeper>,
}

/// Where a vendor is, and with which key.
#[derive(Debug)]
pub struct Access<'a> {
    /// The base address; `None`: the vendor's own.
    pub base: Option<&'a str>,
    /// The key.
    pub key: SecretString,
}
