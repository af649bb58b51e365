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

/// Runs a kernel with the widest instructions the processor has, or with the portable ones if asked to. All give the
/// same bits.
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "kernels are several times faster with wide registers")
)]
pub(crate) fn dispatch<K: Kernel>(simd: Simd, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if simd == Simd::Auto {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
        fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        #[target_feature(enable = "avx2")]
        fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
            kernel.run()
        }
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: the processor has just been found to have these sets.
            return unsafe { with_avx512(kernel) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just been found to have AVX2.
            return unsafe { with_avx2(kernel) };
        }
    }
    let _ = simd;
    kernel.run()
}
