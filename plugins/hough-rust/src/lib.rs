//! Pure-Rust gradient Hough detector with sub-pixel refinement
