//! Live table of scores in a terminal
