//! The two widths in which kernel values are computed.

use std::ops::{Add, AddAssign, Mul, MulAssign, Sub};

use crate::svc::exponential;

/// f32, sixteen to the widest register, or f64. Nothing but IEEE operations in a fixed order, so that every instruction
/// set gives the same bits.
pub(super) trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + AddAssign
    + MulAssign
{
    /// 1.
    const ONE: Self;

    /// The nearest value.
    fn of(value: f64) -> Self;

    /// The nearest f32, as which kernel values are used.
    fn narrow(self) -> f32;

    /// The same value.
    fn wide(self) -> f64;

    /// 2^x.
    fn exp2(self) -> Self;

    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
}

impl Real for f32 {
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn narrow(self) -> f32 {
        self
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn exp2(self) -> Self {
        exponential::exp2_f32(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        exponential::tanh_f32(self)
    }
}

impl Real for f64 {
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn narrow(self) -> f32 {
        self as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exp2(self) -> Self {
        exponential::exp2(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        exponential::tanh(self)
    }
}
