//! Every implementation of a port runs the contract of that port.

mod blobs;
mod channels;
mod crashes;
mod embedded;
mod engines;
mod keys;

mod memory_event_log {
    tests::event_log_contract!(super::engines::Memory);
}

mod embedded_event_log {
    tests::event_log_contract!(super::engines::Embedded);
}

mod memory_key_store {
    tests::key_store_contract!(super::engines::MemoryKeys);
}

mod sqlite_key_store {
    tests::key_store_contract!(super::engines::SqliteKeys);
}

mod file_blob_store {
    tests::blob_store_contract!(super::blobs::Files);
}

mod memory_blob_store {
    tests::blob_store_contract!(super::blobs::Memory);
}

mod s3_blob_store {
    tests::blob_store_contract!(super::blobs::S3);
}
