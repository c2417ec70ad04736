//! A library that never finishes loading.
#![allow(unsafe_code, reason = "an initialiser runs before anything of Rust is set up")]

extern "C" fn hang() {
    loop {
        std::thread::park();
    }
}

#[used]
// SAFETY: the section holds pointers to functions without arguments (System V ABI).
#[unsafe(link_section = ".init_array")]
static INITIALISER: extern "C" fn() = hang;
