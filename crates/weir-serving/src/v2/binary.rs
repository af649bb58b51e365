//! The values of a tensor, from `data` or from the bytes behind the JSON.

use crate::object::Object;
use crate::refusal::Refusal;
use crate::v2::datatype::Datatype;
use crate::v2::request::Tensor;

/// A tensor whose values were found and fit its shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filled {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values,
}

/// Elements in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Numbers(Vec<f64>),
    /// Elements of a BYTES tensor.
    Texts(Vec<Vec<u8>>),
}

/// Reads the values of a tensor, of binary ones from the start of `rest`, which is moved on.
pub(crate) fn read(tensor: Tensor, rest: &mut &[u8]) -> Result<Filled, Refusal> {
    let Tensor { name, shape, datatype, parameters, data } = tensor;
    let refuse = |reason: String| Refusal::Input(format!("input {name:?}: {reason}"));
    let datatype = known(&datatype).map_err(refuse)?;
    let elements = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    let elements = elements.ok_or_else(|| refuse(format!("shape {shape:?} has too many elements")))?;
    let size = parameters.and_then(|Object(parameters)| parameters.binary_data_size);
    let values = match (data, size) {
        (Some(_), Some(_)) => return Err(refuse("it has both data and binary_data_size".to_owned())),
        (None, None) => return Err(refuse("it has neither data nor binary_data_size".to_owned())),
        (Some(data), None) => {
            if !data.fits(&shape) {
                let found = data.len();
                return Err(refuse(format!("its {found} elements are not those of shape {shape:?}, flat or nested")));
            }
            match datatype {
                Datatype::Bytes if data.numbers.is_empty() => {
                    Values::Texts(data.texts.into_iter().map(String::into_bytes).collect())
                }
                Datatype::Bytes => return Err(refuse("the data of a BYTES tensor are texts".to_owned())),
                _ if !data.texts.is_empty() => return Err(refuse(format!("text is no {datatype:?}"))),
                _ => {
                    let mut numbers = data.numbers;
                    for number in &mut numbers {
                        *number =
                            datatype.value(*number).ok_or_else(|| refuse(format!("{number} is no {datatype:?}")))?;
                    }
                    Values::Numbers(numbers)
                }
            }
        }
        (None, Some(size)) => {
            let (bytes, behind) = rest.split_at_checked(size).ok_or_else(|| {
                let left = rest.len();
                refuse(format!("binary_data_size is {size}, {left} bytes are left of the body"))
            })?;
            *rest = behind;
            match datatype.size() {
                Some(width) if elements.checked_mul(width) == Some(size) => Values::Numbers(datatype.values(bytes)),
                Some(width) => {
                    return Err(refuse(format!(
                        "shape {shape:?} has {elements} elements of {width} bytes, binary_data_size is {size}"
                    )));
                }
                None => Values::Texts(texts(bytes, elements).map_err(refuse)?),
            }
        }
    };
    Ok(Filled { name, shape, values })
}

fn known(datatype: &str) -> Result<Datatype, String> {
    let text = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(datatype);
    serde::Deserialize::deserialize(text).map_err(|_| {
        format!("datatype {datatype:?} is not read; use FP64, FP32, BOOL, INT8 to INT64, UINT8 to UINT64 or BYTES")
    })
}

/// Elements of a BYTES tensor: each its length in four bytes, little-endian, and itself.
fn texts(mut bytes: &[u8], elements: usize) -> Result<Vec<Vec<u8>>, String> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = u32::from_le_bytes(*length) as usize;
        let (text, rest) = rest
            .split_at_checked(length)
            .ok_or_else(|| format!("element {} is {length} bytes long, {} bytes are left", texts.len(), rest.len()))?;
        texts.push(text.to_vec());
        bytes = rest;
    }
    match (bytes.len(), texts.len()) {
        (0, found) if found == elements => Ok(texts),
        (0, found) => Err(format!("the binary data hold {found} elements, the shape {elements}")),
        (left, _) => Err(format!("{left} bytes are left behind the last element")),
    }
}
