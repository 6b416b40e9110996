//! What an attachment is, as its content tells; what a client calls it is not believed.
//!
//! Only what stands in the list has a type and may be shown inside a page. Everything else, scripts, SVG and HTML among it, is a
//! file of no particular type that is downloaded.

use domain::tenant::event::AttachmentKind;

/// Bytes at the beginning of a file that tell what it is; the longest that is looked at lies in a zip of a document.
pub const SNIFFED_BYTES: usize = 8 * 1024;
/// What is in no list.
pub const UNKNOWN: &str = "application/octet-stream";

/// Types that are told apart. Pictures, films and sounds may be shown inside a page.
const LISTED: [(&str, AttachmentKind); 22] = [
    ("image/png", AttachmentKind::Picture),
    ("image/jpeg", AttachmentKind::Picture),
    ("image/gif", AttachmentKind::Picture),
    ("image/webp", AttachmentKind::Picture),
    ("image/avif", AttachmentKind::Picture),
    ("image/heif", AttachmentKind::Picture),
    ("image/bmp", AttachmentKind::Picture),
    ("video/mp4", AttachmentKind::Video),
    ("video/webm", AttachmentKind::Video),
    ("video/quicktime", AttachmentKind::Video),
    ("audio/mpeg", AttachmentKind::Audio),
    ("audio/ogg", AttachmentKind::Audio),
    ("audio/aac", AttachmentKind::Audio),
    ("audio/m4a", AttachmentKind::Audio),
    ("audio/x-wav", AttachmentKind::Audio),
    ("audio/x-flac", AttachmentKind::Audio),
    ("audio/amr", AttachmentKind::Audio),
    ("application/pdf", AttachmentKind::File),
    ("application/zip", AttachmentKind::File),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", AttachmentKind::File),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", AttachmentKind::File),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", AttachmentKind::File),
];

/// The type of what begins with these bytes.
#[must_use]
pub fn sniff(first: &[u8]) -> &'static str {
    let told = infer::get(first).map(|found| found.mime_type());
    LISTED.iter().map(|(listed, _)| *listed).find(|listed| told == Some(*listed)).unwrap_or(UNKNOWN)
}

/// The kind of a type. Asked anew at each reading, so that a type that is taken off the list is not shown any more.
#[must_use]
pub fn kind_of(media_type: &str) -> AttachmentKind {
    LISTED.iter().find(|(listed, _)| *listed == media_type).map_or(AttachmentKind::File, |(_, kind)| *kind)
}

/// The word for a kind, as the API has it.
#[must_use]
pub const fn word(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Picture => "picture",
        AttachmentKind::Video => "video",
        AttachmentKind::Audio => "audio",
        AttachmentKind::File => "file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_tells_the_type() {
        for (first, media_type, kind) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png", AttachmentKind::Picture),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg", AttachmentKind::Picture),
            (b"GIF89a<script>alert(1)</script>", "image/gif", AttachmentKind::Picture),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video/mp4", AttachmentKind::Video),
            (b"ID3\x03\0\0\0\0\0\x21", "audio/mpeg", AttachmentKind::Audio),
            (b"%PDF-1.7\n", "application/pdf", AttachmentKind::File),
        ] {
            assert_eq!((sniff(first), kind_of(media_type)), (media_type, kind), "{media_type}");
        }
    }

    #[test]
    fn what_a_browser_could_run_has_no_type() {
        for first in [
            &b"<!DOCTYPE html><script>alert(1)</script>"[..],
            b"<html ><body>",
            b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
            b"<svg onload=alert(1)>",
            b"#!/bin/sh\nrm -rf /",
            b"MZ\x90\0",
            b"\x7fELF\x02\x01\x01",
            b"alert(1)",
            b"",
        ] {
            assert_eq!(sniff(first), UNKNOWN, "{}", String::from_utf8_lossy(first));
        }
        assert_eq!(kind_of(UNKNOWN), AttachmentKind::File);
        assert_eq!(kind_of("text/html"), AttachmentKind::File);
    }

    #[test]
    fn every_type_fits_the_header() {
        assert!(LISTED.iter().all(|(listed, _)| listed.len() <= application::attachment::MEDIA_TYPE_BYTES_MAX));
    }
}
