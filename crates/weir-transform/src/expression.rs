//! The expressions that features are made of.
//!
//! ```text
//! expression = term { ("+" | "-") term }
//! term       = factor { ("*" | "/") factor }
//! factor     = number | column | function "(" expression { "," expression } ")" | "(" expression ")"
//! ```
//!
//! Numeric columns: `event_time` (ms), `source_port`, `destination_port`, `bytes`, `packets`, `duration_ns`, `final`
//! (0 or 1). Functions: `log1p(x)`, `min(a, b)`, `max(a, b)`; of an address column `address(source_ip)`
//! ([`crate::address::to_integer`]), `ip_version(source_ip)` (4 or 6), `is_private(source_ip)` (0 or 1);
//! `transport_code(transport)` (tcp 1, udp 2, icmp 3, icmp6 4, other 0); `flow_number(flow_id)`
//! ([`crate::flow_id::FlowIds::number`]).
//!
//! A null input makes the value null. Columns are evaluated whole, one operation at a time: for one flow that is a
//! handful of steps, for a million it is a handful of loops.

use std::net::IpAddr;

use weir_contract::{FlowBatch, Transport, nearest};

use crate::address;
use crate::flow_id::FlowIds;

/// A parsed and type-checked expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Number(f64),
    Numeric(NumericColumn),
    OfAddress(AddressFunction, AddressColumn),
    TransportCode,
    FlowNumber,
    Log1p(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumericColumn {
    EventTime,
    SourcePort,
    DestinationPort,
    Bytes,
    Packets,
    DurationNs,
    Final,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressColumn {
    Source,
    Destination,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressFunction {
    Integer,
    Version,
    IsPrivate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Minimum,
    Maximum,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {position} of {text:?}")]
pub struct ExpressionError {
    /// What is wrong.
    pub message: String,
    /// The remedy, where there is one to name.
    pub hint: Option<String>,
    /// Where, counted from 1.
    pub position: usize,
    /// The whole expression.
    pub text: String,
}

/// A column of values with the rows that are null.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// One value per row; meaningless where null.
    pub values: Vec<f64>,
    /// Null rows, ascending.
    pub null: Vec<usize>,
}

const NUMERIC: [(&str, NumericColumn); 7] = [
    ("event_time", NumericColumn::EventTime),
    ("source_port", NumericColumn::SourcePort),
    ("destination_port", NumericColumn::DestinationPort),
    ("bytes", NumericColumn::Bytes),
    ("packets", NumericColumn::Packets),
    ("duration_ns", NumericColumn::DurationNs),
    ("final", NumericColumn::Final),
];
const ADDRESSES: [(&str, AddressColumn); 2] =
    [("source_ip", AddressColumn::Source), ("destination_ip", AddressColumn::Destination)];
const ADDRESS_FUNCTIONS: [(&str, AddressFunction); 3] = [
    ("address", AddressFunction::Integer),
    ("ip_version", AddressFunction::Version),
    ("is_private", AddressFunction::IsPrivate),
];
const FUNCTIONS: [&str; 8] =
    ["address", "ip_version", "is_private", "transport_code", "flow_number", "log1p", "min", "max"];

/// Parentheses and functions inside each other; deeper text is refused rather than recursed into.
const DEPTH: usize = 64;
/// Operators of one expression: a chain of them is as deep as it is long.
const OPERATORS: usize = 256;

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// [`ExpressionError`] with the place and, for an unknown name, the nearest known one.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let mut parser = Parser { text, rest: text, depth: 0, operators: 0 };
        let node = parser.expression()?;
        parser.skip_spaces();
        if parser.rest.is_empty() { Ok(Self(node)) } else { Err(parser.error("expected an operator or the end")) }
    }

    /// Whether the value depends on the flow ids of train.
    #[must_use]
    pub fn uses_flow_id(&self) -> bool {
        self.0.any(&|node| matches!(node, Node::FlowNumber))
    }

    /// Whether the value depends on the integer of an address.
    #[must_use]
    pub fn uses_address(&self) -> bool {
        self.0.any(&|node| matches!(node, Node::OfAddress(AddressFunction::Integer, _)))
    }

    /// The values for all rows of a batch.
    #[must_use]
    pub fn evaluate(&self, batch: &FlowBatch, ids: &FlowIds) -> Values {
        self.0.evaluate(batch, ids)
    }
}

impl Node {
    /// Whether this node or one below it is such.
    fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        is(self)
            || match self {
                Self::Log1p(inner) => inner.any(is),
                Self::Binary(_, left, right) => left.any(is) || right.any(is),
                Self::Number(_) | Self::Numeric(_) | Self::OfAddress(..) | Self::TransportCode | Self::FlowNumber => {
                    false
                }
            }
    }

    fn evaluate(&self, batch: &FlowBatch, ids: &FlowIds) -> Values {
        match self {
            Self::Number(number) => Values { values: vec![*number; batch.len()], null: Vec::new() },
            Self::Numeric(column) => column.evaluate(batch),
            Self::OfAddress(function, column) => {
                let addresses = column.of(batch);
                let values = addresses.iter().map(|&address| function.of(address)).collect();
                Values { values, null: Vec::new() }
            }
            Self::TransportCode => {
                Values { values: batch.transport.iter().map(|&transport| code(transport)).collect(), null: Vec::new() }
            }
            Self::FlowNumber => nullable(batch.flow_id.iter().map(|id| id.map(|id| ids.number(id)))),
            Self::Log1p(inner) => {
                let mut inner = inner.evaluate(batch, ids);
                // libm's own, so that the bits do not depend on the processor or the platform.
                inner.values.iter_mut().for_each(|value| *value = libm::log1p(*value));
                inner
            }
            Self::Binary(operator, left, right) => {
                let mut left = left.evaluate(batch, ids);
                let right = right.evaluate(batch, ids);
                operator.apply(&mut left.values, &right.values);
                if !right.null.is_empty() {
                    left.null.extend(right.null);
                    left.null.sort_unstable();
                    left.null.dedup();
                }
                left
            }
        }
    }
}

impl NumericColumn {
    fn evaluate(self, batch: &FlowBatch) -> Values {
        match self {
            Self::EventTime => nullable(batch.event_time.iter().map(|value| value.map(|value| value as f64))),
            Self::SourcePort => nullable(batch.source_port.iter().map(|value| value.map(f64::from))),
            Self::DestinationPort => nullable(batch.destination_port.iter().map(|value| value.map(f64::from))),
            Self::Bytes => nullable(batch.bytes.iter().map(|value| value.map(|value| value as f64))),
            Self::Packets => nullable(batch.packets.iter().map(|value| value.map(|value| value as f64))),
            Self::DurationNs => nullable(batch.duration_ns.iter().map(|value| value.map(|value| value as f64))),
            Self::Final => nullable(batch.last.iter().map(|value| value.map(|value| f64::from(u8::from(value))))),
        }
    }
}

impl AddressColumn {
    fn of(self, batch: &FlowBatch) -> &[IpAddr] {
        match self {
            Self::Source => &batch.source_ip,
            Self::Destination => &batch.destination_ip,
        }
    }
}

impl AddressFunction {
    fn of(self, address: IpAddr) -> f64 {
        match self {
            Self::Integer => address::to_integer(address) as f64,
            Self::Version => {
                if address.is_ipv4() {
                    4.0
                } else {
                    6.0
                }
            }
            Self::IsPrivate => f64::from(u8::from(address::is_private(address))),
        }
    }
}

impl Operator {
    fn apply(self, left: &mut [f64], right: &[f64]) {
        let operation = match self {
            Self::Add => |a: f64, b: f64| a + b,
            Self::Subtract => |a: f64, b: f64| a - b,
            Self::Multiply => |a: f64, b: f64| a * b,
            Self::Divide => |a: f64, b: f64| a / b,
            Self::Minimum => f64::min,
            Self::Maximum => f64::max,
        };
        left.iter_mut().zip(right).for_each(|(left, &right)| *left = operation(*left, right));
    }
}

fn code(transport: Transport) -> f64 {
    match transport {
        Transport::Tcp => 1.0,
        Transport::Udp => 2.0,
        Transport::Icmp => 3.0,
        Transport::Icmp6 => 4.0,
        Transport::Other => 0.0,
    }
}

fn nullable(rows: impl ExactSizeIterator<Item = Option<f64>>) -> Values {
    let mut null = Vec::new();
    let values = rows
        .enumerate()
        .map(|(row, value)| {
            value.unwrap_or_else(|| {
                null.push(row);
                0.0
            })
        })
        .collect();
    Values { values, null }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
    operators: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, message: impl Into<String>) -> ExpressionError {
        let position = self.text[..self.text.len() - self.rest.len()].chars().count() + 1;
        ExpressionError { message: message.into(), hint: None, position, text: self.text.to_owned() }
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, symbol: char) -> bool {
        self.skip_spaces();
        self.rest.strip_prefix(symbol).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn expect(&mut self, symbol: char) -> Result<(), ExpressionError> {
        if self.take(symbol) { Ok(()) } else { Err(self.error(format!("expected {symbol:?}"))) }
    }

    fn expression(&mut self) -> Result<Node, ExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error(format!("more than {DEPTH} parentheses inside each other")));
        }
        let mut node = self.term()?;
        loop {
            let operator = if self.take('+') {
                Operator::Add
            } else if self.take('-') {
                Operator::Subtract
            } else {
                self.depth -= 1;
                return Ok(node);
            };
            node = self.binary(operator, node, Self::term)?;
        }
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: Node,
        right: fn(&mut Self) -> Result<Node, ExpressionError>,
    ) -> Result<Node, ExpressionError> {
        self.operators += 1;
        if self.operators > OPERATORS {
            return Err(self.error(format!("more than {OPERATORS} operators")));
        }
        Ok(Node::Binary(operator, Box::new(left), Box::new(right(self)?)))
    }

    fn term(&mut self) -> Result<Node, ExpressionError> {
        let mut node = self.factor()?;
        loop {
            let operator = if self.take('*') {
                Operator::Multiply
            } else if self.take('/') {
                Operator::Divide
            } else {
                return Ok(node);
            };
            node = self.binary(operator, node, Self::factor)?;
        }
    }

    fn factor(&mut self) -> Result<Node, ExpressionError> {
        self.skip_spaces();
        if self.take('(') {
            let node = self.expression()?;
            self.expect(')')?;
            return Ok(node);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        let start = self.rest;
        let name = self.name();
        if name.is_empty() {
            return Err(self.error("expected a number, a column, a function or \"(\""));
        }
        if self.take('(') {
            let node = self.function(name, start)?;
            self.expect(')')?;
            return Ok(node);
        }
        if let Some((_, column)) = NUMERIC.iter().find(|(known, _)| *known == name) {
            return Ok(Node::Numeric(*column));
        }
        self.rest = start;
        let hint = match name {
            "source_ip" | "destination_ip" => Some(format!("an address is no number: write address({name})")),
            "transport" => Some("a transport is no number: write transport_code(transport)".to_owned()),
            "flow_id" => Some("a flow id is no number: write flow_number(flow_id)".to_owned()),
            _ => suggest(name, NUMERIC.iter().map(|(known, _)| *known)),
        };
        Err(ExpressionError { hint, ..self.error(format!("{name:?} is no numeric column")) })
    }

    fn number(&mut self) -> Result<Node, ExpressionError> {
        let mut end = self.rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(self.rest.len());
        // An exponent, as in 1e-9, where a digit follows.
        let exponent = self.rest[end..].strip_prefix(['e', 'E']).map(|rest| (rest.strip_prefix(['-', '+']), rest));
        if let Some((signed, rest)) = exponent {
            let digits = signed.unwrap_or(rest);
            let count = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            if count > 0 {
                end = self.rest.len() - digits.len() + count;
            }
        }
        match self.rest[..end].parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.rest = &self.rest[end..];
                Ok(Node::Number(number))
            }
            _ => Err(self.error(format!("{:?} is no number", &self.rest[..end]))),
        }
    }

    fn name(&mut self) -> &'a str {
        self.skip_spaces();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let name = &self.rest[..end];
        self.rest = &self.rest[end..];
        name
    }

    /// The argument list of a function whose opening parenthesis was taken.
    fn function(&mut self, name: &'a str, start: &'a str) -> Result<Node, ExpressionError> {
        if let Some((_, function)) = ADDRESS_FUNCTIONS.iter().find(|(known, _)| *known == name) {
            let argument = self.name();
            let column = ADDRESSES.iter().find(|(known, _)| *known == argument);
            let column = column.ok_or_else(|| self.error(format!("{name} takes source_ip or destination_ip")))?;
            return Ok(Node::OfAddress(*function, column.1));
        }
        match name {
            "transport_code" | "flow_number" => {
                let (column, node) = match name {
                    "transport_code" => ("transport", Node::TransportCode),
                    _ => ("flow_id", Node::FlowNumber),
                };
                if self.name() == column { Ok(node) } else { Err(self.error(format!("{name} takes {column}"))) }
            }
            "log1p" => Ok(Node::Log1p(Box::new(self.expression()?))),
            "min" | "max" => {
                let operator = if name == "min" { Operator::Minimum } else { Operator::Maximum };
                let left = self.expression()?;
                self.expect(',')?;
                Ok(Node::Binary(operator, Box::new(left), Box::new(self.expression()?)))
            }
            _ => {
                self.rest = start;
                let hint = suggest(name, FUNCTIONS.into_iter());
                Err(ExpressionError { hint, ..self.error(format!("unknown function {name:?}")) })
            }
        }
    }
}

fn suggest<'k>(name: &str, known: impl Iterator<Item = &'k str> + Clone) -> Option<String> {
    let all = known.clone().collect::<Vec<_>>().join(", ");
    Some(match nearest(name, known) {
        Some(nearest) => format!("the nearest known name is {nearest}; known are {all}"),
        None => format!("known are {all}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::{Flow, Label};

    fn flow() -> Flow {
        Flow {
            flow_id: Some("7".to_owned()),
            event_time: Some(1_000),
            source_ip: "10.0.0.1".parse().unwrap(),
            destination_ip: "fd00::1".parse().unwrap(),
            source_port: None,
            destination_port: Some(443),
            transport: Transport::Udp,
            bytes: Some(1_500),
            packets: Some(3),
            duration_ns: Some(0),
            last: Some(true),
            label: Some(Label::Benign),
            attack: None,
        }
    }

    fn value(text: &str) -> Option<f64> {
        let values = Expression::parse(text).unwrap().evaluate(&[flow()].into_iter().collect(), &FlowIds::default());
        values.null.is_empty().then_some(values.values[0])
    }

    #[test]
    fn arithmetic_follows_the_usual_precedence() {
        assert_eq!(value("1 + 2 * 3 - 4 / (1 + 1)"), Some(5.0));
        assert_eq!(value("8 - 4 - 2"), Some(2.0));
        assert_eq!(value("1.5e3 + 1e-1*10"), Some(1501.0));
    }

    #[test]
    fn every_column_and_function_has_its_value() {
        assert_eq!(value("bytes / packets"), Some(500.0));
        assert_eq!(value("address(source_ip)"), Some(167_772_161.0));
        assert_eq!(value("ip_version(destination_ip) + is_private(destination_ip)"), Some(7.0));
        assert_eq!(value("transport_code(transport)"), Some(2.0));
        assert_eq!(value("flow_number(flow_id) + final"), Some(8.0));
        assert_eq!(value("log1p(0) + min(event_time, 5) + max(duration_ns, 1)"), Some(6.0));
    }

    #[test]
    fn a_null_input_makes_the_value_null() {
        assert_eq!(value("destination_port - source_port"), None);
        assert_eq!(value("log1p(source_port)"), None);
    }

    #[test]
    fn a_refusal_names_place_and_nearest_name() {
        let refusal = |text: &str| {
            let error = Expression::parse(text).unwrap_err();
            format!("{error} | {}", error.hint.clone().unwrap_or_default())
        };
        assert!(refusal("byts / 2").starts_with(
            "\"byts\" is no numeric column at character 1 of \"byts / 2\" | the nearest known name is bytes; known are"
        ));
        assert!(refusal("1 + log(bytes)").contains("character 5"));
        assert!(refusal("1 + log(bytes)").contains("the nearest known name is log1p"));
        assert!(refusal("source_ip").contains("write address(source_ip)"));
        assert!(refusal("bytes bytes").starts_with("expected an operator or the end at character 7"));
        assert!(refusal("(bytes").starts_with("expected ')'"));
        assert!(refusal("").starts_with("expected a number, a column"));
        assert!(refusal(&"(".repeat(100_000)).starts_with("more than 64 parentheses"));
        assert!(refusal(&"bytes+".repeat(100_000)).starts_with("more than 256 operators"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[a-z_0-9().+*/, é-]{0,40}") {
            let _ = Expression::parse(&text);
        }
    }
}
