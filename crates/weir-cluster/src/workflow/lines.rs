//! The logs of a step's program.

use futures_util::stream::{self, BoxStream};
use futures_util::{AsyncBufRead, AsyncBufReadExt, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;

/// The container in which Argo runs the program.
pub(crate) const MAIN: &str = "main";

/// The node of the workflow that a pod belongs to.
pub(crate) fn node_of(pod: &Pod) -> Option<&str> {
    pod.metadata.annotations.as_ref()?.get("workflows.argoproj.io/node-id").map(String::as_str)
}

/// The last lines that the program of a pod wrote; none where the pod or its log is gone.
pub(crate) async fn last_lines(pods: &Api<Pod>, pod: &str, lines: i64) -> Vec<String> {
    let params = LogParams { container: Some(MAIN.to_owned()), tail_lines: Some(lines), ..LogParams::default() };
    let text = pods.logs(pod, &params).await.unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// All lines of `container` of a pod: those up to now, or with `follow` until it ends. A connection that is lost ends
/// the stream with an error.
///
/// # Errors
/// What the cluster says instead of the log.
pub(crate) async fn stream(
    pods: Api<Pod>,
    pod: String,
    container: &'static str,
    follow: bool,
) -> Result<BoxStream<'static, std::io::Result<String>>, kube::Error> {
    let params = LogParams { container: Some(container.to_owned()), follow, ..LogParams::default() };
    Ok(stream::try_unfold(pods.log_stream(&pod, &params).await?, next_line).boxed())
}

/// The next line without its end, and the reader; a program may write what is no UTF-8.
async fn next_line<R: AsyncBufRead + Unpin>(mut reader: R) -> std::io::Result<Option<(String, R)>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    Ok(Some((String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned(), reader)))
}
