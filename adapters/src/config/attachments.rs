//! Settings of attachments. What a tenant takes is its own limit, not a setting.

use std::str::FromStr;

use domain::time::Millis;
use serde::Deserialize;

/// Settings of attachments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentsConfig {
    /// Where they lie: `file` for the data directory, or `s3://bucket/prefix`. Default `file`: a server that nobody set up needs
    /// nothing beside its directory. Credentials of a bucket come from the environment.
    pub store: Location,
    /// Address of an S3-compatible service, such as `https://minio.example:9000`. Default none: the one of the region.
    pub s3_endpoint: Option<String>,
    /// Region of the bucket. Default none: `AWS_REGION`, or `us-east-1`.
    pub s3_region: Option<String>,
    /// Uploads at a time, at most half of them of one tenant. Default 32: each takes up to 6 MiB with a bucket; more are told
    /// `busy`.
    pub uploads_at_once: u16,
    /// Hours within which a message must be the first to use an upload; then it is removed. Default 24: somebody who attached
    /// a file in the evening sends it in the morning. 0: never; whatever was uploaded stays. It holds for later uploads.
    pub unused_hours: u32,
}

impl AttachmentsConfig {
    /// The time within which an upload must be used, if there is one.
    #[must_use]
    pub fn unused(&self) -> Option<Millis> {
        (self.unused_hours > 0).then(|| Millis::hours(i64::from(self.unused_hours)))
    }
}

impl Default for AttachmentsConfig {
    fn default() -> Self {
        Self { store: Location::File, s3_endpoint: None, s3_region: None, uploads_at_once: 32, unused_hours: 24 }
    }
}

/// Where attachments lie.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Location {
    /// In the data directory.
    File,
    /// In a bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// What all names in it begin with; may be empty.
        prefix: String,
    },
}

/// The text names no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attachments are stored in `file` or in `s3://bucket/prefix`")]
pub struct InvalidLocation;

impl FromStr for Location {
    type Err = InvalidLocation;
    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        if text == "file" {
            return Ok(Self::File);
        }
        let rest = text.strip_prefix("s3://").ok_or(InvalidLocation)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if bucket.is_empty() || !bucket.bytes().all(named) {
            return Err(InvalidLocation);
        }
        Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }
}

impl TryFrom<String> for Location {
    type Error = InvalidLocation;
    fn try_from(text: String) -> Result<Self, InvalidLocation> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_the_directory_or_a_bucket() {
        let bucket = |bucket: &str, prefix: &str| Ok(Location::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        assert_eq!("file".parse(), Ok(Location::File));
        assert_eq!("s3://files".parse(), bucket("files", ""));
        assert_eq!("s3://files/kefu/prod/".parse(), bucket("files", "kefu/prod"));
        for bad in ["", "s3://", "s3:///x", "s3://Files", "ftp://files", "/srv/files"] {
            assert_eq!(bad.parse::<Location>(), Err(InvalidLocation), "{bad}");
        }
    }
}
