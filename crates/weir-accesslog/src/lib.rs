//! Access logs of web servers to counts per client.
