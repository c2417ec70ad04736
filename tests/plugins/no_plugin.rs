//! A shared library that exports no plugin.
#![allow(unsafe_code, reason = "exports a symbol")]

/// Something that is no plugin.
// SAFETY: no other library of these tests has a symbol of this name.
#[unsafe(no_mangle)]
pub extern "C" fn plumbline_tests_answer() -> u32 {
    42
}
