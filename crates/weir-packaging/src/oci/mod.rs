//! The bundle as an OCI image, so that registries keep it and clusters fetch it as they do with any image.
//!
//! ```text
//! <layout>/                     image layout 1.0.0 of the OCI image specification
//! ├── oci-layout
//! ├── index.json                one image, named after the bundle's digest
//! └── blobs/sha256/
//!     ├── <manifest>            annotations: name, digest of the bundle, trial, revision
//!     ├── <config>              linux/amd64, labels as the annotations
//!     └── <layer>               one tar, not compressed: models/, models/bundle.json, models/model.onnx, ...
//! ```
//!
//! The files lie in `/models` itself: what KServe mounts at `/mnt/models` is the bundle. Same bundle, same bytes: names
//! are sorted, times are zero, owner is root. Files can be read by everybody (0644, folders 0755), since model servers
//! run under whatever uid their pod has.
//!
//! The image holds data only: no shell, no libraries, no program. Which `storageUri` of KServe can use it follows from
//! that (its controller's sources and issues, not a cluster, are what this was read from):
//!
//! - `oci+native://` mounts the folder `models` of the image as a volume: made for images like this one. Kubernetes 1.33
//!   with image volumes, containerd 2 or CRI-O 1.31, KServe 0.20.
//! - `oci+fetch://` unpacks `models/` of uncompressed and gzip layers in an init container: fine as well. KServe 0.21.
//! - `oci://` with KServe's default, the modelcar, starts the image as a sidecar that runs `sh -c "ln -sf
//!   /proc/$$/root/models /mnt/models && sleep infinity"`: it needs `sh`, `ln` and `sleep` in the image and does **not**
//!   work with this one. Build `FROM` an image with a shell and copy `/models` from this one
//!   (`COPY --from=<reference> /models /models`), or let the cluster's `ociModelMode` be `native`. A modelcar and its
//!   server run under one uid, 1010 by default, since one looks into the other's `/proc`.

mod layer;
mod layout;
mod spec;

pub(crate) use layer::{Compression, MODELS, unpack};
pub(crate) use layout::Image;
pub use layout::{About, Layout, layout};
pub(crate) use spec::{Blob, Descriptor, INDEX_TYPES, MANIFEST_TYPES, Manifest, Sha256};
