//! Names of types, as pandas, pyarrow and SQL call what the canonical columns are in Parquet.

use crate::error::{Wrong, known_names};
use crate::field::{Field, Holds};

/// The Parquet type of a kind of column as numpy names it, and every name accepted for it.
const NAMES: [(&str, &[&str]); 5] = [
    ("str", &["str", "string", "String", "StringDtype", "large_string", "utf8", "VARCHAR", "TEXT", "StringType"]),
    (
        "datetime64",
        &[
            "datetime64",
            "datetime64[ms]",
            "datetime64[ns]",
            "M8[ms]",
            "datetime",
            "Timestamp",
            "timestamp[ms]",
            "TIMESTAMP",
            "TIMESTAMP_MS",
            "DATETIME",
            "TimestampType",
        ],
    ),
    ("uint16", &["uint16", "UInt16", "UInt16Dtype", "USMALLINT", "SMALLINT UNSIGNED"]),
    ("uint64", &["uint64", "UInt64", "UInt64Dtype", "UBIGINT", "BIGINT UNSIGNED"]),
    ("bool", &["bool", "bool_", "boolean", "BooleanDtype", "BOOL", "BOOLEAN", "BooleanType"]),
];

/// Types that no canonical column has.
const FOREIGN: [&str; 40] = [
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint32",
    "float",
    "float16",
    "float32",
    "float64",
    "object",
    "bytes",
    "binary",
    "category",
    "date",
    "date32",
    "timedelta64",
    "decimal",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt32",
    "Float32",
    "Float64",
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "REAL",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "NUMERIC",
    "DATE",
    "BLOB",
    "JSON",
];

/// Whether a column is of the named type.
pub(crate) fn is_of(field: Field, name: &str) -> Result<bool, Wrong> {
    if let Some((of, _)) = NAMES.iter().find(|(_, names)| names.contains(&name)) {
        return Ok(*of == observed(field));
    }
    if FOREIGN.contains(&name) {
        return Ok(false);
    }
    let known: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).chain(FOREIGN).collect();
    Err((format!("unknown type {name:?}"), Some(known_names(name, &known))))
}

/// The name numpy gives a column's type.
pub(crate) const fn observed(field: Field) -> &'static str {
    match field.holds() {
        Holds::Time => "datetime64",
        Holds::Port => "uint16",
        Holds::Count => "uint64",
        Holds::Flag => "bool",
        Holds::Name | Holds::Address | Holds::Text => "str",
    }
}
