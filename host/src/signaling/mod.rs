//! How offer and answer travel.

mod config;

pub use config::SignalingConfig;
