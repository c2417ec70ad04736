//! The `host` binary: arguments in, exit status out.

use std::process::ExitCode;

// The allocator takes about 15 % of the time of a fast stream; this one is the
// quickest of those tried.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs before `main`, because the standard library allocates before `main` and
/// the allocator makes its first arena then.
#[used]
#[allow(unsafe_code, reason = "the only way to be called that early")]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = commit_memory_when_it_is_used;

/// By default the allocator makes whole arenas resident at once: twice the
/// memory of a server at 640 x 480 (`make footprint`).
#[allow(unsafe_code)]
extern "C" fn commit_memory_when_it_is_used() {
    /// `mi_option_arena_eager_commit` of mimalloc.h, which the bindings leave out.
    const ARENA_EAGER_COMMIT: std::ffi::c_int = 4;
    // SAFETY: sets an entry of the allocator's table of options, which it reads
    // when it asks the system for memory; no other thread is running yet.
    unsafe { libmimalloc_sys::mi_option_set(ARENA_EAGER_COMMIT, 0) };
}

fn main() -> ExitCode {
    plumbline_host::cli::main()
}
