//! Archives as publishers make them.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A deflated archive of `files`.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(files, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated))
}

/// An archive of `files` as `options` say.
pub(crate) fn zip_with(files: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        match name.strip_suffix('/') {
            Some(folder) => writer.add_directory(folder, options).unwrap(),
            None => {
                writer.start_file(*name, options).unwrap();
                writer.write_all(bytes).unwrap();
            }
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Four small files of the data set, with `rows` records each.
pub(crate) fn assuremoss(rows: usize) -> Vec<(&'static str, Vec<u8>)> {
    let names = weir_fetch::DATASETS[0].files.iter().map(|file| file.name);
    names
        .map(|name| (name, format!("_source_flow_id,label\n{}", format!("{name},benign\n").repeat(rows)).into()))
        .collect()
}

pub(crate) fn borrowed<'a>(files: &'a [(&'static str, Vec<u8>)]) -> Vec<(&'a str, &'a [u8])> {
    files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect()
}
