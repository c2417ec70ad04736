//! What is filmed.

mod config;

pub use config::SceneConfig;
