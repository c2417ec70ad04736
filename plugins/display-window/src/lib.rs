//! Frames and scores in a window
