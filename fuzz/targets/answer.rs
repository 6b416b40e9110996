//! See `tests/src/untrusted.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tests::untrusted::answer(bytes);
});
