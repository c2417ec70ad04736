//! OpenCV HoughCircles detector, both methods
