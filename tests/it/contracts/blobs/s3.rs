//! As much of S3 as a store of attachments needs, on a free port of this machine: objects, ranges, uploads in parts. It looks
//! whether requests are signed, not whether the signature is right.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Bytes>,
    /// Parts by the number of their upload and their own.
    uploads: BTreeMap<usize, BTreeMap<usize, Bytes>>,
    begun: usize,
    unsigned: usize,
}

type Shared = Arc<Mutex<Bucket>>;

/// See the file's head.
pub struct Service {
    address: std::net::SocketAddr,
    bucket: Shared,
    task: tokio::task::JoinHandle<()>,
}

impl Service {
    pub async fn start() -> Self {
        let bucket = Shared::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&bucket));
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, bucket, task }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap()
    }

    /// Every object.
    pub fn keys(&self) -> Vec<String> {
        self.bucket().objects.keys().cloned().collect()
    }

    /// Uploads that were neither completed nor aborted.
    pub fn uploads_under_way(&self) -> usize {
        self.bucket().uploads.len()
    }

    /// Requests without a signature.
    pub fn unsigned(&self) -> usize {
        self.bucket().unsigned
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn number(query: &str, name: &str) -> Option<usize> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

async fn answer(State(bucket): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut bucket = bucket.lock().unwrap();
    if !headers.get(header::AUTHORIZATION).is_some_and(|value| value.to_str().unwrap().starts_with("AWS4-HMAC-SHA256 ")) {
        bucket.unsigned += 1;
    }
    let (key, query) = (uri.path().to_owned(), uri.query().unwrap_or_default());
    let upload = number(query, "uploadId");
    match (method, upload, number(query, "partNumber")) {
        (Method::PUT, Some(upload), Some(part)) => {
            bucket.uploads.get_mut(&upload).unwrap().insert(part, body);
            written()
        }
        (Method::PUT, None, _) => {
            bucket.objects.insert(key, body);
            written()
        }
        (Method::POST, None, _) => {
            bucket.begun += 1;
            let begun = bucket.begun;
            bucket.uploads.insert(begun, BTreeMap::new());
            format!("<InitiateMultipartUploadResult><UploadId>{begun}</UploadId></InitiateMultipartUploadResult>").into_response()
        }
        (Method::POST, Some(upload), _) => {
            let parts = bucket.uploads.remove(&upload).unwrap();
            let whole: Vec<u8> = parts.into_values().flatten().collect();
            bucket.objects.insert(key, whole.into());
            "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>".into_response()
        }
        (Method::DELETE, Some(upload), _) => {
            bucket.uploads.remove(&upload);
            StatusCode::NO_CONTENT.into_response()
        }
        (Method::DELETE, None, _) => {
            bucket.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        (Method::GET, ..) if query.contains("list-type=2") => list(&bucket, &key, query),
        (Method::GET, ..) => match bucket.objects.get(&key) {
            Some(object) => part_of(object, &headers),
            None => (StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>").into_response(),
        },
        (method, ..) => panic!("{method} {uri} is not understood"),
    }
}

/// Every object below a prefix, two at a time, so that whoever lists has to go on.
fn list(bucket: &Bucket, root: &str, query: &str) -> Response {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let decoded = |text: &str| text.replace("%2F", "/");
    let (prefix, after) = (decoded(value("prefix")), decoded(value("continuation-token")));
    let root = format!("{}/", root.trim_end_matches('/'));
    let keys = bucket.objects.keys().filter_map(|key| key.strip_prefix(&root));
    let mut below: Vec<&str> = keys.filter(|key| key.starts_with(&prefix) && *key > after.as_str()).collect();
    let has_more = below.len() > 2;
    below.truncate(2);
    let of = |key: &&str| {
        format!(
            "<Contents><Key>{key}</Key><Size>0</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"1\"</ETag></Contents>"
        )
    };
    let contents: String = below.iter().map(of).collect();
    let next = below.last().filter(|_| has_more).map(|key| format!("<NextContinuationToken>{key}</NextContinuationToken>"));
    format!("<ListBucketResult>{contents}{}</ListBucketResult>", next.unwrap_or_default()).into_response()
}

fn written() -> Response {
    ([(header::ETAG, "\"1\"")], "").into_response()
}

fn part_of(object: &Bytes, headers: &HeaderMap) -> Response {
    let range = headers.get(header::RANGE).unwrap().to_str().unwrap().strip_prefix("bytes=").unwrap().to_owned();
    let (first, last) = range.split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    let end = last.parse::<usize>().unwrap().saturating_add(1).min(object.len());
    Response::builder()
        .status(StatusCode::PARTIAL_CONTENT)
        .header(header::ETAG, "\"1\"")
        .header(header::LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT")
        .header(header::CONTENT_RANGE, format!("bytes {first}-{}/{}", end - 1, object.len()))
        .body(Body::from(object.slice(first..end)))
        .unwrap()
}
