//! The datatypes of tensors.

use serde::Deserialize;

/// A datatype of the protocol that features or flows can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp32,
    Fp64,
    Bytes,
}

impl Datatype {
    /// Bytes of an element in binary data; nothing where every element has its own length.
    pub(crate) fn size(self) -> Option<usize> {
        Some(match self {
            Self::Bool | Self::Uint8 | Self::Int8 => 1,
            Self::Uint16 | Self::Int16 => 2,
            Self::Uint32 | Self::Int32 | Self::Fp32 => 4,
            Self::Uint64 | Self::Int64 | Self::Fp64 => 8,
            Self::Bytes => return None,
        })
    }

    /// The value that a number of JSON has in a tensor of this type; nothing where it is none of this type.
    pub(crate) fn value(self, number: f64) -> Option<f64> {
        /// 2^63 and 2^64: the ends of the 64-bit integers, which doubles hold.
        const SIGNED: f64 = 9_223_372_036_854_775_808.0;
        const UNSIGNED: f64 = 18_446_744_073_709_551_616.0;
        let (lowest, highest) = match self {
            Self::Fp64 => return Some(number),
            // What the tensor holds, so that the same request in binary has the same answer.
            Self::Fp32 => return Some(f64::from(number as f32)),
            Self::Bytes => return None,
            Self::Bool => (0.0, 1.0),
            Self::Uint8 => (0.0, 255.0),
            Self::Uint16 => (0.0, 65_535.0),
            Self::Uint32 => (0.0, 4_294_967_295.0),
            Self::Uint64 => (0.0, UNSIGNED),
            Self::Int8 => (-128.0, 127.0),
            Self::Int16 => (-32_768.0, 32_767.0),
            Self::Int32 => (-2_147_483_648.0, 2_147_483_647.0),
            Self::Int64 => (-SIGNED, SIGNED),
        };
        (number.fract() == 0.0 && (lowest..=highest).contains(&number)).then_some(number)
    }

    /// The values of binary data, little-endian; `bytes` is a whole number of elements long.
    pub(crate) fn values(self, bytes: &[u8]) -> Vec<f64> {
        macro_rules! read {
            ($type:ty) => {
                bytes
                    .chunks_exact(size_of::<$type>())
                    .map(|chunk| <$type>::from_le_bytes(chunk.try_into().unwrap_or_default()) as f64)
                    .collect()
            };
        }
        match self {
            Self::Bool => bytes.iter().map(|&byte| f64::from(u8::from(byte != 0))).collect(),
            Self::Uint8 => read!(u8),
            Self::Uint16 => read!(u16),
            Self::Uint32 => read!(u32),
            Self::Uint64 => read!(u64),
            Self::Int8 => read!(i8),
            Self::Int16 => read!(i16),
            Self::Int32 => read!(i32),
            Self::Int64 => read!(i64),
            Self::Fp32 => read!(f32),
            Self::Fp64 => read!(f64),
            Self::Bytes => Vec::new(),
        }
    }
}
