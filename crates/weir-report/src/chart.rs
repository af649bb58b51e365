//! Charts as inline SVG: numbers in, one `<svg>` element out.
//!
//! Colours are CSS classes of the page, so that a chart follows light, dark and print. A chart has its natural
//! width in CSS pixels and shrinks with its container; text is set at the size of the page's small print.

mod axis;
mod bars;
mod correlation;
mod dots;
mod elbow;
mod histogram;
mod layers;
mod lineage;
mod loss;
mod pairs;
mod svg;
mod timeline;

pub(crate) use axis::Domain;
pub(crate) use bars::{Bar, bars, is_logarithmic};
pub(crate) use correlation::correlation;
pub(crate) use dots::{Dot, dots};
pub(crate) use elbow::elbow;
pub(crate) use histogram::{Counts, histogram};
pub(crate) use layers::layers;
pub(crate) use lineage::{Node, lineage};
pub(crate) use loss::loss;
pub(crate) use pairs::{Pair, pairs};
pub(crate) use timeline::{Counted, duration, timeline};
