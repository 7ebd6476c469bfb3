//! A find-links page, from any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::simple_html;
use url::Url;

fuzz_target!(|body: &[u8]| {
    let url: Url = "https://h.example/wheels/".parse().expect("a good URL");
    let Ok(listing) = simple_html::parse_find_links(body, &url) else {
        return;
    };
    for file in listing.value {
        let url: Url = file.url.parse().expect("an absolute URL");
        assert!(matches!(url.scheme(), "http" | "https"));
        assert_eq!(url.fragment(), None);
    }
});
