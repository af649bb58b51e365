//! The few SVG elements that the charts need. Text is escaped here and nowhere else.

use std::fmt::Write as _;

use minijinja::Value;

/// Which end of a text its position is.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// An SVG under construction, in CSS pixels.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    /// An empty drawing. `title` is its accessible name, `description` says what can be seen in it.
    pub(super) fn new(width: f64, height: f64, title: &str, description: &str) -> Self {
        let body = format!("<title>{}</title><desc>{}</desc>", escape(title), escape(description));
        Self { width, height, body }
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(number);
        self.push(format_args!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#));
    }

    /// A rectangle; `opacity` from 0 to 1 carries a value where colour does.
    pub(super) fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4], opacity: f64, tip: &str) {
        let [x, y, width, height] = [x, y, width, height].map(number);
        let opacity = if opacity < 1.0 {
            format!(r#" fill-opacity="{}""#, (opacity * 100.0).round() / 100.0)
        } else {
            String::new()
        };
        self.push(format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"{opacity}{}"#,
            close("rect", tip)
        ));
    }

    pub(super) fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64, tip: &str) {
        let [x, y, radius] = [x, y, radius].map(number);
        self.push(format_args!(r#"<circle class="{class}" cx="{x}" cy="{y}" r="{radius}"{}"#, close("circle", tip)));
    }

    /// A path through `points`, closed down to `base` when given (an area), open otherwise (a line).
    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)], base: Option<f64>) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        let mut d = String::new();
        if let Some(base) = base {
            let _ = write!(d, "M{},{}", number(first.0), number(base));
        }
        for (i, &(x, y)) in points.iter().enumerate() {
            let command = if i == 0 && base.is_none() { 'M' } else { 'L' };
            let _ = write!(d, "{command}{},{}", number(x), number(y));
        }
        if let Some(base) = base {
            let _ = write!(d, "L{},{}Z", number(last.0), number(base));
        }
        self.push(format_args!(r#"<path class="{class}" d="{d}"/>"#));
    }

    /// A smooth line between two points side by side.
    pub(super) fn link(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let middle = number((x1 + x2) / 2.0);
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(number);
        self.push(format_args!(r#"<path class="{class}" d="M{x1},{y1}C{middle},{y1} {middle},{y2} {x2},{y2}"/>"#));
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        self.label(class, (x, y), anchor, text, "");
    }

    /// A text whose full form is shown to a pointer that rests on it.
    pub(super) fn label(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str, tip: &str) {
        let tip = if tip.is_empty() { String::new() } else { format!("<title>{}</title>", escape(tip)) };
        self.push(format_args!(
            r#"<text class="{class}" x="{}" y="{}"{}>{tip}{}</text>"#,
            number(x),
            number(y),
            anchor.attribute(),
            escape(text)
        ));
    }

    /// A text that runs upwards from its position.
    pub(super) fn upward(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let [x, y] = [x, y].map(number);
        let text = escape(text);
        self.push(format_args!(r#"<text class="{class}" transform="translate({x} {y}) rotate(-60)">{text}</text>"#));
    }

    /// The element, marked as safe for templates.
    pub(super) fn finish(self) -> Value {
        let [width, height] = [self.width, self.height].map(number);
        Value::from_safe_string(format!(
            r#"<svg role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">{}</svg>"#,
            self.body
        ))
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
    }
}

impl Anchor {
    fn attribute(self) -> &'static str {
        match self {
            Self::Start => "",
            Self::Middle => r#" text-anchor="middle""#,
            Self::End => r#" text-anchor="end""#,
        }
    }
}

/// At most `limit` characters, the last an ellipsis where some were left out.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

fn close(element: &str, tip: &str) -> String {
    if tip.is_empty() { "/>".to_owned() } else { format!("><title>{}</title></{element}>", escape(tip)) }
}

/// A coordinate with one decimal; what is no number lands on 0, outside of no drawing.
fn number(value: f64) -> String {
    let value = if value.is_finite() { (value * 10.0).round() / 10.0 } else { 0.0 };
    format!("{}", value + 0.0)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_tips_are_escaped() {
        let mut svg = Svg::new(10.0, 10.0, "<a>", "b & c");
        svg.circle("dot", (f64::NAN, -0.01), 3.0, "\"quoted\"");
        svg.text("small", (1.25, 2.0), Anchor::End, "</text>");
        let text = svg.finish().to_string();
        assert!(text.contains("<title>&lt;a&gt;</title><desc>b &amp; c</desc>"));
        assert!(text.contains(r#"cx="0" cy="0" r="3"><title>&quot;quoted&quot;</title></circle>"#), "{text}");
        assert!(text.contains("text-anchor=\"end\">&lt;/text&gt;</text>"));
    }

    #[test]
    fn long_labels_end_in_an_ellipsis() {
        assert_eq!(shorten("destination_port", 8), "destina…");
        assert_eq!(shorten("é", 1), "é");
    }
}
