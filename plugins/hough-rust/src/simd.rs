//! Run-time choice of the instruction set.
//!
//! Kernels are plain loops. `dispatch!` compiles each twice, once for the
//! baseline of the target and once with AVX2, and picks at run time. Neither
//! uses fused multiply-add, so both give the same bits. Where there is no AVX2
//! to ask for, as on aarch64 (`make check-aarch64`), the baseline is all there is.

use std::sync::atomic::{AtomicBool, Ordering};

static PORTABLE: AtomicBool = AtomicBool::new(false);

/// Makes every kernel of this process use the baseline instruction set, as on
/// a CPU without AVX2. For tests and benches.
pub fn force_portable(portable: bool) {
    PORTABLE.store(portable, Ordering::Relaxed);
}

/// Whether kernels run with AVX2.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && !PORTABLE.load(Ordering::Relaxed)
}

/// Whether kernels run with AVX2.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn has_avx2() -> bool {
    false
}

/// Bytes that memory is read by at a time.
pub const LINE: usize = 64;

/// Asks for the line of memory with byte `i` of `bytes`, which will be read soon.
/// Does nothing beyond the end.
#[allow(clippy::inline_always, reason = "one instruction")]
#[inline(always)]
pub fn prefetch(bytes: &[u8], i: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(byte) = bytes.get(i) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[allow(unsafe_code, reason = "an intrinsic with a pointer")]
        // SAFETY: the byte is there, and prefetching it does not read it.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, i);
}

/// Calls `visit` with the places of the ones among bytes that are 0 or 1, in order;
/// their number is a multiple of eight.
#[inline]
pub fn for_each_mark(marks: &[u8], mut visit: impl FnMut(usize)) {
    for (k, eight) in marks.chunks_exact(8).enumerate() {
        let mut bits = u64::from_le_bytes(eight.try_into().expect("chunks of eight"));
        while bits != 0 {
            visit(8 * k + bits.trailing_zeros() as usize / 8);
            bits &= bits - 1;
        }
    }
}

/// Defines a function whose body is compiled for the baseline and for AVX2.
macro_rules! dispatch {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[allow(unsafe_code, clippy::too_many_arguments, reason = "run-time dispatch")]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[allow(clippy::inline_always, reason = "must be compiled inside the AVX2 function")]
            #[inline(always)]
            fn portable($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    portable($($arg),*)
                }
                if $crate::simd::has_avx2() {
                    // SAFETY: the CPU has AVX2, the only requirement of the callee.
                    return unsafe { avx2($($arg),*) };
                }
            }
            portable($($arg),*)
        }
    };
}
pub(crate) use dispatch;
