#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| izanagi_fuzz::text_delta(input));
