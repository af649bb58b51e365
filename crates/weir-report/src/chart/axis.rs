//! Where values lie on an axis.

/// The values an axis spans, low below high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Domain {
    low: f64,
    high: f64,
}

impl Domain {
    /// The span of the finite `values` with some air around it, or of nothing in particular when there are none.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            return Self { low: 0.0, high: 1.0 };
        }
        let air = if high > low { 0.04 * (high - low) } else { (0.05 * high.abs()).max(1e-6) };
        Self { low: low - air, high: high + air }
    }

    /// Where `value` lies, 0 at the low end and 1 at the high end.
    pub(super) fn position(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Round numbers inside the domain, about `wanted` of them and at least two steps of 1, 2 or 5 times a power of ten,
    /// with the text of each.
    pub(super) fn ticks(self, wanted: usize) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / wanted.max(1) as f64;
        let exponent = libm::log10(rough).floor() as i32;
        let power = |exponent| libm::pow(10.0, f64::from(exponent));
        let (factor, exponent) = [(1.0, exponent), (2.0, exponent), (5.0, exponent)]
            .into_iter()
            .find(|&(factor, exponent)| factor * power(exponent) >= rough)
            .unwrap_or((1.0, exponent + 1));
        let (step, digits) = (factor * power(exponent), (-exponent).clamp(0, 12) as usize);
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        (first..=last).map(|i| i as f64 * step).map(|tick| (tick, format!("{tick:.digits$}"))).collect()
    }
}

/// A number at the end of an axis, as short as can be: `0.012`, `443`, `4.3e9`.
pub(super) fn end_label(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e5).contains(&size) {
        let text = format!("{value:.1e}");
        text.replace(".0e", "e")
    } else if value.fract() == 0.0 {
        format!("{value}")
    } else {
        let digits = (2 - libm::log10(size).floor() as i32).clamp(0, 5) as usize;
        format!("{value:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks: Vec<String> =
            Domain { low: 0.951, high: 0.9994 }.ticks(3).into_iter().map(|(_, text)| text).collect();
        assert_eq!(ticks, ["0.96", "0.98"]);
        let ticks: Vec<String> =
            Domain { low: 0.99812, high: 0.99951 }.ticks(3).into_iter().map(|(_, text)| text).collect();
        assert_eq!(ticks, ["0.9985", "0.9990", "0.9995"]);
    }

    #[test]
    fn equal_values_still_span_something() {
        let domain = Domain::around([0.5, 0.5, f64::NAN]);
        assert!((domain.position(0.5) - 0.5).abs() < 1e-12);
        assert_eq!(Domain::around([]), Domain { low: 0.0, high: 1.0 });
    }

    #[test]
    fn end_labels_are_short() {
        let labels = [0.0, 443.0, 65535.0, 4_294_967_295.0, 0.0123, 1_604_412_309_000.0].map(end_label);
        assert_eq!(labels, ["0", "443", "65535", "4.3e9", "0.0123", "1.6e12"]);
    }
}
