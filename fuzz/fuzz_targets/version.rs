//! A version and a project's name, from any text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::{ProjectName, Version};

fuzz_target!(|text: &str| {
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(version.to_string().parse::<Version>(), Ok(version));
    }
    if let Ok(name) = text.parse::<ProjectName>() {
        assert!(ProjectName::is_normal(name.as_str()));
        assert_eq!(name.as_str().parse::<ProjectName>(), Ok(name));
    }
});
