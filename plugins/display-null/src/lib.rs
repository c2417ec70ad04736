//! Display that shows nothing
