//! How the memory allocator deals with the system.

use std::ffi::c_int;

// Options of mimalloc.h, which the bindings leave out.
const ARENA_EAGER_COMMIT: c_int = 4;
const PURGE_DELAY: c_int = 15;

/// Makes memory resident when it is used, and gives it back 0.1 s after its last
/// use. By default the allocator makes whole arenas resident at once, twice the
/// memory of a server at 640 x 480 (`make footprint`), and keeps for a second
/// what a pause of the network had piled up. Shorter delays than this cost more:
/// 10 ms a sixth of the throughput, none at all almost half.
///
/// To be called before `main`: the standard library allocates before that, and
/// the allocator makes its first arena then.
#[allow(unsafe_code, reason = "the allocator's own interface")]
pub extern "C" fn be_economical() {
    // SAFETY: these set entries of the allocator's table of options, which it
    // reads when it deals with the system; no other thread is running yet.
    unsafe {
        libmimalloc_sys::mi_option_set(ARENA_EAGER_COMMIT, 0);
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 100);
    }
}
