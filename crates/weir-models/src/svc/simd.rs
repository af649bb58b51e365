//! Chooses the instruction set at run time. The functions are compiled once per set from the same source; as they
//! use neither fused multiply-add nor reordered sums, all sets give the same bits.

use crate::context::Simd;
use crate::svc::kernel::{self, Kernel, Point};
use crate::svc::passes::{self, Change, Extremes};
use crate::svc::points::Points;

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
                reason = "kernel rows and solver passes are several times faster with wide registers"
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
    /// [`kernel::row`]
    row(kernel: Kernel, points: &Points, z: Point<'_>, row: &mut [f32]) = kernel::row;
    /// [`kernel::weighted_sum`]
    weighted_sum(kernel: Kernel, points: &Points, coefficients: &[f64], z: Point<'_>) -> f64 = kernel::weighted_sum;
    /// [`passes::update`]
    update(up: &mut [f64], low: &mut [f64], i: Change<'_>, j: Change<'_>, extremes: &mut Vec<Extremes>)
        = passes::update;
    /// [`passes::second`]
    second(low: &[f64], diagonal: &[f64], row: &[f32], own: f64, largest: f64, extremes: &[Extremes]) -> Option<usize>
        = passes::second;
}
