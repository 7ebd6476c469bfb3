//! How long a page is fresh, and what to do with one that is not. Pure.

use std::time::Duration;

/// However short upstream's `max-age`, we do not ask more often than this, unless
/// the mirror's own `fresh-for` is shorter still.
const FLOOR: Duration = Duration::from_mins(1);

/// How long a page is fresh, given upstream's `Cache-Control`.
///
/// `max-age` can shorten `fresh_for` down to [`FLOOR`] and never lengthen it.
/// `no-store` and `no-cache` are not obeyed: indexes send them for pages that
/// change once a week, and a mirror that obeyed would be none.
pub(crate) fn fresh_for(fresh_for: Duration, cache_control: Option<&str>) -> Duration {
    let max_age = cache_control.and_then(max_age).filter(|age| !age.is_zero());
    match max_age {
        Some(age) => age.max(FLOOR).min(fresh_for),
        None => fresh_for,
    }
}

fn max_age(cache_control: &str) -> Option<Duration> {
    cache_control.split(',').find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        let wanted = name.trim().eq_ignore_ascii_case("max-age");
        let seconds = seconds.trim().trim_matches('"').parse().ok()?;
        wanted.then(|| Duration::from_secs(seconds))
    })
}

/// What to do with a page that is no longer fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Ask upstream and wait so long before the old page is good enough.
    Wait(Duration),
    /// Serve the old page at once and ask in the background.
    Serve,
}

/// A user who waits this long does not notice; upstream has mostly answered by then.
const BRIEF: Duration = Duration::from_millis(100);
/// pip gives up on a silent server after 15 s; a page from the cache must come well before.
const LONG: Duration = Duration::from_secs(4);

/// How long to wait for upstream before an old page is served.
///
/// Just stale (no longer than it was fresh): a brief moment, so that a new
/// release shows at once where upstream is quick. Long stale: longer, since the
/// user may well be after a release of last week. Upstream known to be in
/// trouble: not at all.
pub(crate) fn patience(
    stale_for: Duration,
    fresh_for: Duration,
    upstream_in_trouble: bool,
) -> Patience {
    if upstream_in_trouble {
        Patience::Serve
    } else if stale_for <= fresh_for {
        Patience::Wait(BRIEF)
    } else {
        Patience::Wait(LONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_can_shorten_freshness_within_bounds() {
        let ten = Duration::from_mins(10);
        let secs = Duration::from_secs;
        for (given, header, expected) in [
            (ten, None, ten),
            (ten, Some("max-age=300, public"), secs(300)),
            (ten, Some("public, Max-Age=5"), FLOOR),
            (ten, Some("max-age=86400"), ten),
            (ten, Some("no-store"), ten),
            (ten, Some("max-age=0, no-cache"), ten),
            (ten, Some("s-maxage=5, x=\"max-age"), ten),
            (secs(2), Some("max-age=600"), secs(2)),
            (secs(2), Some("max-age=1"), secs(2)),
        ] {
            assert_eq!(fresh_for(given, header), expected, "{header:?}");
        }
    }

    #[test]
    fn an_old_page_waits_for_upstream_longer_than_a_just_stale_one() {
        let ten = Duration::from_mins(10);
        assert_eq!(
            patience(Duration::from_secs(1), ten, false),
            Patience::Wait(BRIEF)
        );
        assert_eq!(
            patience(Duration::from_mins(100), ten, false),
            Patience::Wait(LONG)
        );
        assert_eq!(
            patience(Duration::from_mins(100), ten, true),
            Patience::Serve
        );
    }
}
