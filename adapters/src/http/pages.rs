//! The pages: files of one directory, as they were built, under headers that let them load nothing but themselves.
//!
//! They are a client of the API and nothing more. This file must not know what is in them.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use tower::service_fn;
use tower_http::services::ServeDir;

use super::error::ApiError;

/// The page that leads to the others; a directory without it holds no pages.
const ENTRANCE: &str = "index.html";
/// What goes with every file. Scripts and styles come from this server alone, none stands in a page, and nobody frames one. Pictures
/// may come from the page's own memory: an attachment is read with a token, which no picture element has.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // Kept, and asked about each time: a new build is seen at once.
    (header::CACHE_CONTROL, "no-cache"),
];

/// The directory holds no pages.
#[derive(Debug, thiserror::Error)]
#[error("there are no pages in {}; `make web` builds them into web/dist", directory.display())]
pub struct NoPages {
    directory: PathBuf,
}

/// Makes sure of the pages before somebody asks for them.
///
/// # Errors
/// [`NoPages`].
pub fn check(directory: Option<&Path>) -> Result<(), NoPages> {
    match directory {
        Some(directory) if !directory.join(ENTRANCE).is_file() => Err(NoPages { directory: directory.to_owned() }),
        Some(_) | None => Ok(()),
    }
}

/// What answers where the API has no route: a file of the directory, otherwise the problem that there is no such path.
pub fn router<S: Clone + Send + Sync + 'static>(directory: Option<&Path>) -> Router<S> {
    let Some(directory) = directory else {
        return Router::new().fallback(|| async { ApiError::NoRoute });
    };
    let nowhere = service_fn(|_| async { Ok(ApiError::NoRoute.into_response()) });
    let files = ServeDir::new(directory).call_fallback_on_method_not_allowed(true).fallback(nowhere);
    Router::new().fallback_service(files).layer(map_response(with_headers))
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Method, Request, StatusCode};
    use tower::ServiceExt;

    use super::*;

    /// A directory of pages, with a file beside it that nobody may read.
    fn pages() -> tempfile::TempDir {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("dist");
        std::fs::create_dir_all(inside.join("chat")).unwrap();
        std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(inside.join(ENTRANCE), "<p>welcome</p>").unwrap();
        std::fs::write(inside.join("chat/index.html"), "<p>chat</p>").unwrap();
        std::fs::write(inside.join("chat/main.js"), "export {}").unwrap();
        outside
    }

    async fn asked(directory: &Path, method: Method, path: &str) -> (Response, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let Ok(mut response) = router::<()>(Some(directory)).oneshot(request).await;
        let body = std::mem::take(response.body_mut());
        (response, String::from_utf8(to_bytes(body, 4_096).await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn files_are_served_with_headers_that_keep_them_to_themselves() {
        let outside = pages();
        let directory = outside.path().join("dist");
        for (path, kind, text) in
            [("/", "text/html", "welcome"), ("/chat/", "text/html", "chat"), ("/chat/main.js?v=1", "text/javascript", "export")]
        {
            let (response, body) = asked(&directory, Method::GET, path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert!(body.contains(text), "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{path}");
            for (name, value) in HEADERS {
                assert_eq!(response.headers()[name], value, "{path}");
            }
        }
        let (response, _) = asked(&directory, Method::GET, "/chat?tenant=demo").await;
        assert!(response.status().is_redirection());
        assert_eq!(response.headers()[header::LOCATION], "/chat/?tenant=demo");
    }

    #[tokio::test]
    async fn nothing_outside_of_the_directory_is_served() {
        let outside = pages();
        let directory = outside.path().join("dist");
        let ways = [
            "/../secret.txt",
            "/chat/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/chat/..%2f..%2fsecret.txt",
            "/..%5csecret.txt",
            "//secret.txt",
            "/%00",
            "/chat",
            "/nothing.js",
        ];
        for path in ways {
            let (response, body) = asked(&directory, Method::GET, path).await;
            assert!(!response.status().is_success(), "{path}: {}", response.status());
            assert!(!body.contains("secret"), "{path}");
        }
        let absolute = format!("/{}", outside.path().join("secret.txt").display());
        let (response, body) = asked(&directory, Method::GET, &absolute).await;
        assert!(!response.status().is_success() && !body.contains("secret"));
    }

    #[tokio::test]
    async fn what_is_no_file_is_the_problem_that_there_is_no_such_path() {
        let outside = pages();
        let directory = outside.path().join("dist");
        for (method, path) in [(Method::GET, "/v1/nothing"), (Method::POST, "/chat/main.js"), (Method::DELETE, "/")] {
            let (response, body) = asked(&directory, method, path).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert!(body.contains("no_route"), "{path}");
        }
    }

    #[test]
    fn a_directory_without_pages_is_told_before_anything_starts() {
        let empty = tempfile::tempdir().unwrap();
        assert!(check(Some(empty.path())).is_err());
        assert!(check(Some(&pages().path().join("dist"))).is_ok());
        assert!(check(None).is_ok());
    }
}
