//! OpenCV EdgeDrawing circle detector
