//! A graph under construction: operators over named values.

use super::proto::{
    Attribute, DataType, Dimension, GraphProto, Node, Shape, Size, Tensor, TensorType, Type, ValueInfo,
};

/// A value of the graph: its input, a constant, or what an operator gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value(String);

/// The size of an axis, where it is not a number: that of the batch.
const ROWS: &str = "N";

/// Operators in the order of computation, and constants. Names are numbered, so that the same calls give the same bytes.
pub(super) struct Graph {
    proto: GraphProto,
}

impl Graph {
    /// A graph with one input, `double[N, columns]`.
    pub(super) fn new(name: &str, input: &str, columns: usize, about: &str) -> (Self, Value) {
        let mut proto = GraphProto { name: Some(name.to_owned()), ..GraphProto::default() };
        proto
            .input
            .push(ValueInfo { doc_string: Some(about.to_owned()), ..value_info(input, DataType::Double, &[columns]) });
        (Self { proto }, Value(input.to_owned()))
    }

    /// What an operator of ONNX gives for `inputs`, with attributes that are whole numbers.
    pub(super) fn op(&mut self, operator: &str, inputs: &[&Value], attributes: &[(&str, i64)]) -> Value {
        let [value] = self.ops(operator, inputs, attributes);
        value
    }

    /// As [`Graph::op`], of an operator with several outputs.
    pub(super) fn ops<const N: usize>(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: &[(&str, i64)],
    ) -> [Value; N] {
        let number = self.proto.node.len();
        let outputs = std::array::from_fn(|output| match output {
            0 => Value(format!("{operator}_{number}")),
            _ => Value(format!("{operator}_{number}_{output}")),
        });
        self.push(operator, inputs, &outputs, attributes);
        outputs
    }

    /// A constant `double[dims]`, row by row.
    pub(super) fn doubles(&mut self, dims: &[usize], values: &[f64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::Double, dims, values.len(), bytes)
    }

    /// A constant `double[1]`, which fits every shape.
    pub(super) fn double(&mut self, value: f64) -> Value {
        self.doubles(&[1], &[value])
    }

    /// A constant `int64[n]`.
    pub(super) fn integers(&mut self, values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::Int64, &[values.len()], values.len(), bytes)
    }

    /// `x`: `[N, rows]` times a constant matrix `[rows, columns]`, row by row. By a single row it is Mul, before which
    /// a scaler of one column stays what it is: into MatMul, onnxruntime takes a factor as a float.
    pub(super) fn product(&mut self, x: &Value, [rows, columns]: [usize; 2], values: &[f64]) -> Value {
        let matrix = self.doubles(&[rows, columns], values);
        self.op(if rows == 1 { "Mul" } else { "MatMul" }, &[x, &matrix], &[])
    }

    /// 1 where `low` is less than `high`, else 0: `int64`. Without Cast, whose whole numbers are symbols in tract.
    pub(super) fn is_less(&mut self, low: &Value, high: &Value) -> Value {
        let (zero, one) = (self.integers(&[0]), self.integers(&[1]));
        let less = self.op("Less", &[low, high], &[]);
        self.op("Where", &[&less, &one, &zero], &[])
    }

    /// 1 / (1 + e^-z): no operator, because tract has none in double.
    pub(super) fn sigmoid(&mut self, z: &Value) -> Value {
        let one = self.double(1.0);
        let negative = self.op("Neg", &[z], &[]);
        let power = self.op("Exp", &[&negative], &[]);
        let denominator = self.op("Add", &[&one, &power], &[]);
        self.op("Div", &[&one, &denominator], &[])
    }

    /// Makes `value`: `[N, 1]` the output `name`: `[N]`.
    pub(super) fn output_column(&mut self, name: &str, kind: DataType, value: &Value) {
        let axis = self.integers(&[1]);
        self.push("Squeeze", &[value, &axis], &[Value(name.to_owned())], &[]);
        self.proto.output.push(value_info(name, kind, &[]));
    }

    /// Makes `left`, `right`: `double[N, 1]` the columns of the output `name`: `float[N, 2]`.
    pub(super) fn output_pair(&mut self, name: &str, left: &Value, right: &Value) {
        let both = self.op("Concat", &[left, right], &[("axis", 1)]);
        self.push("Cast", &[&both], &[Value(name.to_owned())], &[("to", DataType::Float as i64)]);
        self.proto.output.push(value_info(name, DataType::Float, &[2]));
    }

    pub(super) fn finish(self) -> GraphProto {
        self.proto
    }

    fn push(&mut self, operator: &str, inputs: &[&Value], outputs: &[Value], attributes: &[(&str, i64)]) {
        let attribute = |&(name, value): &(&str, i64)| Attribute {
            name: Some(name.to_owned()),
            i: Some(value),
            kind: Some(Attribute::INT),
        };
        self.proto.node.push(Node {
            input: inputs.iter().map(|input| input.0.clone()).collect(),
            output: outputs.iter().map(|output| output.0.clone()).collect(),
            name: Some(format!("{operator}_{}", self.proto.node.len())),
            op_type: Some(operator.to_owned()),
            attribute: attributes.iter().map(attribute).collect(),
        });
    }

    fn constant(&mut self, kind: DataType, dims: &[usize], count: usize, bytes: Vec<u8>) -> Value {
        assert_eq!(dims.iter().product::<usize>(), count, "as many values as the shape {dims:?} holds");
        let name = format!("constant_{}", self.proto.initializer.len());
        self.proto.initializer.push(Tensor {
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: Some(kind as i32),
            name: Some(name.clone()),
            raw_data: Some(bytes),
        });
        Value(name)
    }
}

/// A value of one row per row of the batch, `[N, dims..]`.
fn value_info(name: &str, kind: DataType, dims: &[usize]) -> ValueInfo {
    let rows = Dimension { size: Some(Size::Name(ROWS.to_owned())) };
    let dims = dims.iter().map(|&dim| Dimension { size: Some(Size::Value(dim as i64)) });
    let shape = Shape { dim: std::iter::once(rows).chain(dims).collect() };
    let tensor = TensorType { elem_type: Some(kind as i32), shape: Some(shape) };
    ValueInfo { name: Some(name.to_owned()), kind: Some(Type { tensor: Some(tensor) }), doc_string: None }
}
