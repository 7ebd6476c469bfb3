//! Environment markers, as far as they tell that something is not for Linux and CPython.

/// What holds in a container.
const KNOWN: [(&str, &str); 5] = [
    ("sys_platform", "linux"),
    ("platform_system", "Linux"),
    ("os_name", "posix"),
    ("implementation_name", "cpython"),
    ("platform_python_implementation", "CPython"),
];

/// Whether a marker cannot hold in a container, whatever its Python is.
pub(super) fn excludes(marker: &str) -> bool {
    // With brackets it takes a parser to tell; what may apply, applies.
    if marker.trim().is_empty() || marker.contains(['(', ')']) {
        return false;
    }
    marker
        .split(" or ")
        .all(|all| all.split(" and ").any(is_false))
}

/// Whether a comparison is known to be wrong.
fn is_false(comparison: &str) -> bool {
    let operators = [("==", true), ("!=", false)];
    operators.iter().any(|(operator, wants_equal)| {
        let Some((left, right)) = comparison.split_once(operator) else {
            return false;
        };
        let [left, right] = [left, right].map(|side| side.trim().trim_matches(['"', '\'']));
        let known = KNOWN.iter().find(|(name, _)| *name == left);
        known.is_some_and(|(_, value)| (*value == right) != *wants_equal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_another_system_is_told_from_what_may_apply() {
        for (marker, excluded) in [
            ("", false),
            ("sys_platform == 'win32'", true),
            (" platform_system==\"Windows\"", true),
            ("sys_platform != 'linux'", true),
            ("sys_platform == 'linux'", false),
            ("os_name == 'nt' and python_version < '3.9'", true),
            ("os_name == 'nt' or python_version < '3.9'", false),
            ("python_version < '3'", false),
            ("(sys_platform == 'win32')", false),
            ("platform_python_implementation == 'PyPy'", true),
        ] {
            assert_eq!(excludes(marker), excluded, "{marker}");
        }
    }
}
