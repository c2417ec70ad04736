//! A library that crashes while it is loaded.
#![allow(unsafe_code, reason = "an initialiser runs before anything of Rust is set up")]

extern "C" fn crash() {
    eprintln!("crashing on purpose");
    std::process::abort();
}

#[used]
// SAFETY: the section holds pointers to functions without arguments (System V ABI).
#[unsafe(link_section = ".init_array")]
static INITIALISER: extern "C" fn() = crash;
