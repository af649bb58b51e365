//! Work compiled once per instruction set from one source, and the choice among them at run time.
//!
//! Kernels use neither fused multiply-add nor the platform's mathematics, and every sum has one order, so that a wider
//! set computes the same bits faster.

use crate::context::Simd;

/// Work to be compiled once per instruction set. `run` and all it calls must be `#[inline(always)]`.
pub(crate) trait Kernel {
    /// What the work gives.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// An instruction set that this processor has.
#[derive(Clone, Copy)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Set {
    /// The widest, or the portable one if that is wished.
    #[inline]
    fn detect(simd: Simd) -> Self {
        #[cfg(target_arch = "x86_64")]
        if simd == Simd::Auto {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        let _ = simd;
        Self::Portable
    }
}

/// The name of the instruction set that kernels run with.
pub(crate) fn code_path(simd: Simd) -> &'static str {
    match Set::detect(simd) {
        Set::Portable => "portable",
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => "avx2",
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => "avx512",
    }
}

/// Runs a kernel with the widest instructions the processor has, or with the portable ones if asked to. All give the
/// same bits.
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "kernels are several times faster with wide registers")
)]
pub(crate) fn dispatch<K: Kernel>(simd: Simd, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }
    match Set::detect(simd) {
        Set::Portable => kernel.run(),
        // SAFETY: `detect` names a set only if it has found its features.
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => unsafe { with_avx2(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => unsafe { with_avx512(kernel) },
    }
}
