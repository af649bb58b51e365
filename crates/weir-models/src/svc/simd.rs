//! Chooses the instruction set at run time. The functions are compiled once per set from the same source; as they
//! use neither fused multiply-add nor reordered sums, all sets give the same bits.

use crate::context::Simd;
use crate::svc::block::{self, Block};
use crate::svc::kernel::Kernel;
use crate::svc::points::Points;
use crate::svc::real::Real;
use crate::svc::sums::{self, Weighted};

/// A [`Real`] with compiled loops over kernel values.
pub(super) trait Width: Real {
    /// [`sums::subtract`]
    fn subtract(
        level: Level,
        kernel: Kernel,
        points: &Points<Self>,
        first: usize,
        weighted: &Weighted<Self>,
        values: &mut [f64],
    );

    /// [`sums::matrix`]
    fn matrix(level: Level, kernel: Kernel, points: &Points<Self>, weighted: &Weighted<Self>, matrix: &mut [f32]);
}

macro_rules! width {
    ($real:ty, $subtract:ident, $matrix:ident) => {
        impl Width for $real {
            fn subtract(
                level: Level,
                kernel: Kernel,
                points: &Points<Self>,
                first: usize,
                weighted: &Weighted<Self>,
                values: &mut [f64],
            ) {
                level.$subtract(kernel, points, first, weighted, values);
            }

            fn matrix(
                level: Level,
                kernel: Kernel,
                points: &Points<Self>,
                weighted: &Weighted<Self>,
                matrix: &mut [f32],
            ) {
                level.$matrix(kernel, points, weighted, matrix);
            }
        }
    };
}

width!(f32, subtract_f32, matrix_f32);
width!(f64, subtract_f64, matrix_f64);

/// An instruction set that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The widest set, or the portable path if that is wished.
    pub(super) fn detect(simd: Simd) -> Self {
        #[cfg(target_arch = "x86_64")]
        if simd == Simd::Auto {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                return Self(Set::Avx512);
            }
            if is_x86_feature_detected!("avx2") {
                return Self(Set::Avx2);
            }
        }
        let _ = simd;
        Self(Set::Portable)
    }

    /// The name of the set.
    pub(super) fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        }
    }
}

macro_rules! per_level {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:path;)*) => {
        impl Level {
            $($(#[$doc])*
            #[cfg_attr(target_arch = "x86_64", expect(
                unsafe_code,
                reason = "sums of kernel values are several times faster with wide registers"
            ))]
            pub(super) fn $name(self, $($argument: $type),*) $(-> $result)? {
                match self.0 {
                    Set::Portable => $body($($argument),*),
                    // SAFETY: a `Level` with this set exists only if `detect` found its features.
                    #[cfg(target_arch = "x86_64")]
                    Set::Avx2 => unsafe { avx2::$name($($argument),*) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Set::Avx512 => unsafe { avx512::$name($($argument),*) },
                }
            })*
        }

        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            use super::*;

            $(#[target_feature(enable = "avx2")]
            pub(super) fn $name($($argument: $type),*) $(-> $result)? {
                $body($($argument),*)
            })*
        }

        #[cfg(target_arch = "x86_64")]
        mod avx512 {
            use super::*;

            $(#[target_feature(enable = "avx512f,avx512dq,avx512vl")]
            pub(super) fn $name($($argument: $type),*) $(-> $result)? {
                $body($($argument),*)
            })*
        }
    };
}

per_level! {
    /// [`sums::subtract`]
    subtract_f32(kernel: Kernel, points: &Points<f32>, first: usize, weighted: &Weighted<f32>, values: &mut [f64])
        = sums::subtract;
    /// [`sums::subtract`]
    subtract_f64(kernel: Kernel, points: &Points<f64>, first: usize, weighted: &Weighted<f64>, values: &mut [f64])
        = sums::subtract;
    /// [`sums::matrix`]
    matrix_f32(kernel: Kernel, points: &Points<f32>, weighted: &Weighted<f32>, matrix: &mut [f32]) = sums::matrix;
    /// [`sums::matrix`]
    matrix_f64(kernel: Kernel, points: &Points<f64>, weighted: &Weighted<f64>, matrix: &mut [f32]) = sums::matrix;
    /// [`sums::weighted_sum`]
    weighted_sum(kernel: Kernel, points: &Points<f64>, coefficients: &[f64], z: &[f64], z_square: f64) -> f64
        = sums::weighted_sum;
    /// [`block::optimise`]
    optimise(block: &mut Block, goal: f64, steps: u64) -> u64 = block::optimise;
}
