//! The usual instances read without a deserializer, which takes most of the time of a large batch. What is not usual or
//! not right is left to [`super::request`], so that there is one place that refuses.

use crate::rows::{Bounds, Rows};

/// The rows of a body that begins with `{"instances": [[1, 2.5, ...], ...]`, and where that ends.
pub(crate) fn instances(body: &[u8], bounds: Bounds) -> Option<(Rows, usize)> {
    let mut scan = Scan { bytes: body, at: 0 };
    scan.token(b"{")?;
    scan.token(b"\"instances\"")?;
    scan.token(b":")?;
    scan.token(b"[")?;
    let mut values = Vec::with_capacity(bounds.width.min(body.len()));
    let mut rows = 0;
    loop {
        scan.token(b"[")?;
        for feature in 0..bounds.width {
            if feature > 0 {
                scan.token(b",")?;
            }
            scan.spaces();
            values.push(scan.number()?);
        }
        scan.token(b"]")?;
        rows += 1;
        if scan.token(b",").is_none() {
            scan.token(b"]")?;
            return (rows <= bounds.rows).then_some((Rows::Vectors { values, rows }, scan.at));
        }
        if rows == bounds.rows {
            return None;
        }
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn spaces(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Moves on behind spaces and `token`, if that comes next.
    fn token(&mut self, token: &[u8]) -> Option<()> {
        self.spaces();
        self.bytes[self.at..].starts_with(token).then(|| self.at += token.len())
    }

    fn byte(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// How many digits come next; they are appended to `number`, which may wrap around.
    fn digits(&mut self, number: &mut u64) -> usize {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        self.at - start
    }

    /// A number of JSON as the nearest double, if it is finite.
    fn number(&mut self) -> Option<f64> {
        /// Most digits that a u64 holds.
        const DIGITS: usize = 19;
        /// Whole numbers up to 2^53 are doubles.
        const EXACT: u64 = 1 << 53;
        let start = self.at;
        let negative = self.byte(b'-');
        let leading_zero = self.bytes.get(self.at) == Some(&b'0');
        let mut mantissa = 0;
        let whole = self.digits(&mut mantissa);
        if whole == 0 || (leading_zero && whole > 1) {
            return None;
        }
        let fraction =
            if self.byte(b'.') { Some(self.digits(&mut mantissa)).filter(|&digits| digits > 0)? } else { 0 };
        let exponent = self.byte(b'e') || self.byte(b'E');
        if exponent {
            let _ = self.byte(b'-') || self.byte(b'+');
            if self.digits(&mut 0) == 0 {
                return None;
            }
        }
        // Both are exact and a division rounds once (Clinger 1990): the nearest double.
        if !exponent && whole + fraction <= DIGITS && mantissa <= EXACT && fraction < POWERS.len() {
            let value = mantissa as f64 / POWERS[fraction];
            return Some(if negative { -value } else { value });
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).ok()?;
        text.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

/// Powers of ten that are doubles.
const POWERS: [f64; 20] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::v1::request;

    const BOUNDS: Bounds = Bounds { width: 2, rows: 3 };

    fn bits(rows: &Rows) -> Vec<u64> {
        match rows {
            Rows::Vectors { values, .. } => values.iter().map(|value| value.to_bits()).collect(),
            Rows::Flows(_) => Vec::new(),
        }
    }

    /// What is read quickly is what the deserializer reads, to the bit.
    fn agree(text: &str) -> bool {
        let quick = instances(text.as_bytes(), BOUNDS);
        if let Some((rows, end)) = &quick {
            let whole = format!("{}}}", &text[..*end]);
            let (expected, _) = request::read(whole.as_bytes(), BOUNDS).unwrap();
            assert_eq!((bits(rows), rows.len()), (bits(&expected), expected.len()), "{text}");
        }
        quick.is_some()
    }

    #[test]
    fn usual_instances_are_read_quickly_and_others_left() {
        for text in [
            r#"{"instances":[[1,2.5]]}"#,
            " {\n\"instances\" : [ [ -0 , 1e3 ] ,\t[0.1,9007199254740993] ] , \"parameters\":{}}",
            r#"{"instances":[[14.105573241,8.671286726753637],[1645791570013,-18446744073709551616],[5e-324,1E+2]]}"#,
            r#"{"instances":[[0.30000000000000004,123456789012345678901234567890.5],[0,-0.0]]}"#,
        ] {
            assert!(agree(text), "{text}");
        }
        for text in [
            "",
            "{",
            r#"{"instances":[]}"#,
            r#"{"instances":[[1]]}"#,
            r#"{"instances":[[1,2,3]]}"#,
            r#"{"instances":[[01,2]]}"#,
            r#"{"instances":[[1.,2]]}"#,
            r#"{"instances":[[.5,2]]}"#,
            r#"{"instances":[[+1,2]]}"#,
            r#"{"instances":[[1e,2]]}"#,
            r#"{"instances":[[1e999,2]]}"#,
            r#"{"instances":[[NaN,2]]}"#,
            r#"{"instances":[[true,2]]}"#,
            r#"{"instances":[[1,2],]}"#,
            r#"{"instances":[[1,2]"#,
            r#"{"instances":[[1,2],[1,2],[1,2],[1,2]]}"#,
            r#"{"parameters":{},"instances":[[1,2]]}"#,
        ] {
            assert!(!agree(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_the_nearest_double(
            written in proptest::collection::vec("-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?", 2),
            number in any::<f64>().prop_filter("finite", |number| number.is_finite()),
        ) {
            agree(&format!("{{\"instances\":[[{}]]}}", written.join(",")));
            let read = agree(&format!("{{\"instances\":[[{number:?},{number}]]}}"));
            prop_assert!(read);
        }
    }
}
