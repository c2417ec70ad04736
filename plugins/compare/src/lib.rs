//! The detectors that hough-rust is measured against.
