#![doc = include_str!("../README.md")]

mod confine;
mod fault;
mod function;
mod host;
mod job;
mod pool;
mod template;
mod wire;
pub mod worker;

pub use confine::{Confinement, confine};
pub use fault::Fault;
pub use host::{
    Denied, Fetch, FetchAnswer, FetchFailure, FetchRequest, Host, Reply, SavedFile, Unattended,
};
pub use job::{Function, Job, Level, Limits, LogLine, Outcome, Template};
pub use pool::{Pool, PoolOptions};
pub use wire::Bytes;
